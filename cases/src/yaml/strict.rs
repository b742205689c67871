//! How YAML is read, both by the build and at run time.

/// What makes of the YAML that is accepted a strict subset.
pub(crate) fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        reject_unsupported_tags: true,
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_depth: 64, max_documents: 1 },
    }
}
