//! Whom we believe that a server is the one it says it is.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Trust in the given authorities, in PEM; if none are given, in those of the system where `secure` connections are to be
/// made, and otherwise in nobody.
///
/// # Errors
/// When the text holds no certificate.
pub fn trusting(authorities: Option<&[u8]>, secure: bool) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| error.to_string())?;
                roots.add(certificate).map_err(|error| error.to_string())?;
            }
            if roots.is_empty() {
                return Err("there is no certificate in it".to_owned());
            }
        }
        None if !secure => {}
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::trusting;

    #[test]
    fn authorities_must_be_certificates() {
        assert!(trusting(None, true).is_ok());
        assert!(trusting(Some(b""), false).unwrap_err().contains("no certificate"));
        assert!(
            trusting(Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), true).is_err()
        );
    }
}
