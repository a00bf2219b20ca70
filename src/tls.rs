//! The cryptography of outgoing connections: ring, which the database's connections use as well.

/// Makes it the process's own. Every client of HTTP needs it before it is built.
pub fn install() {
    // A second call is no harm: the first one stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
