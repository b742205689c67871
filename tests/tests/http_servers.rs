//! HTTP servers as they stand in the world: behind TLS, and on a port of their own that all sessions share.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use mcp_conform::event::Transport;
use mcp_conform::process::ServerCommand;
use mcp_conform::select::Selection;
use mcp_conform::target::Way;
use mcp_conform::verdict::Verdict;
use mcp_conform_cases::Library;
use mcp_conform_tests::{mcp_conform, run, settings};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const REFERENCE_SERVER: &str = env!("CARGO_BIN_EXE_reference-server");

/// The reference server over HTTP; it ends with this.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Server {
        let mut child = Command::new(REFERENCE_SERVER)
            .args(["--http", "127.0.0.1:0", "--exit-with-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().strip_suffix("/mcp").unwrap();
        Server { child, address: address.parse().unwrap() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority that nobody knows, as PEM, and the side of a server named `localhost` with a certificate of it.
fn secured() -> (String, TlsAcceptor) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let server_key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&server_key, &issuer)
        .unwrap();
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)
        .unwrap();
    (pem, TlsAcceptor::from(Arc::new(config)))
}

/// Takes TLS off connections and passes on what is in them.
async fn forward(listener: TcpListener, acceptor: TlsAcceptor, to: SocketAddr) {
    loop {
        let Ok((outside, _)) = listener.accept().await else { return };
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A client that does not trust us hangs up here.
            let Ok(mut outside) = acceptor.accept(outside).await else { return };
            let Ok(mut inside) = TcpStream::connect(to).await else { return };
            let _ = copy_bidirectional(&mut outside, &mut inside).await;
        });
    }
}

fn conform(port: u16, options: &[&str], authority: Option<&Path>) -> Output {
    let mut command = Command::new(mcp_conform());
    command.arg(format!("https://localhost:{port}/mcp")).args(options).stdin(Stdio::null());
    if let Some(file) = authority {
        command.arg("--ca").arg(file);
    }
    command.output().unwrap()
}

#[test]
fn a_server_behind_tls_is_tested_if_its_authority_is_trusted() {
    let server = Server::start();
    let (pem, acceptor) = secured();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
    let port = listener.local_addr().unwrap().port();
    runtime.spawn(forward(listener, acceptor, server.address));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();

    let options = ["-k", "lifecycle", "--color", "never"];
    let trusted = conform(port, &options, Some(&file));
    let said = String::from_utf8_lossy(&trusted.stderr).into_owned();
    assert_eq!(trusted.status.code(), Some(0), "{said}");
    assert!(said.contains("passed"), "{said}");

    let distrusted = conform(port, &options, None);
    let said = String::from_utf8_lossy(&distrusted.stderr).into_owned();
    assert_eq!(distrusted.status.code(), Some(3), "{said}");
    assert!(said.contains("certificate") && said.contains("--ca"), "{said}");
}

#[test]
fn one_server_for_all_sessions_is_started_again_after_it_hung_or_died() {
    for fault in ["hangs-on-unknown-method", "dies-on-unknown-method"] {
        // Whoever gets the port between here and there is a stranger, and the run says so.
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut settings = settings(&[OsString::from(REFERENCE_SERVER)]);
        let arguments = ["--fault", fault, "--http", &format!("127.0.0.1:{port}")];
        settings.target.ways = vec![Way::Http {
            command: Some(ServerCommand {
                program: REFERENCE_SERVER.into(),
                arguments: arguments.iter().map(OsString::from).collect(),
                environment: Vec::new(),
                directory: None,
            }),
            address: format!("http://127.0.0.1:{port}/mcp"),
            transport: Some(Transport::Http),
        }];
        settings.timeout = std::time::Duration::from_secs(2);
        settings.selection = Selection::new(&[
            "base/unknown-method".to_owned(),
            "lifecycle/initialize".to_owned(),
            "lifecycle/version-counter-offer".to_owned(),
            "ping/*".to_owned(),
            "tools/call-listed".to_owned(),
        ])
        .unwrap();
        let (_, finish) = run(Library::builtin().unwrap(), settings).unwrap();
        let (broken, others): (Vec<_>, Vec<_>) =
            finish.results.iter().partition(|result| result.case == "base/unknown-method");
        assert!(broken.iter().any(|result| result.verdict.is_finding()), "{fault}: {broken:?}");
        assert!(others.len() > 4, "{others:?}");
        let unwell: Vec<_> = others
            .iter()
            .filter(|result| !matches!(result.verdict, Verdict::Pass | Verdict::NotApplicable))
            .collect();
        assert!(unwell.is_empty(), "{fault}: {unwell:#?}");
    }
}
