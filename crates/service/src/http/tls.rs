//! TLS for a host: a certificate chain and its key from PEM files, with HTTP/2 and HTTP/1.1 by ALPN.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why TLS can't be had.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not what it should be.
    #[error("{path} holds no {what}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// "certificate chain in PEM" or "private key in PEM".
        what: &'static str,
        /// What stands in the way.
        reason: String,
    },
    /// The two don't go together.
    #[error("the certificate in {cert} and the key in {key} are refused: {source}")]
    Pair {
        /// The certificate chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        source: tokio_rustls::rustls::Error,
    },
}

/// A certificate that a host shows.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(…)")
    }
}

impl Tls {
    /// Reads a chain (the host's own certificate first) and its key. TLS 1.2 and 1.3 are spoken.
    pub fn load(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let refused = |path: &Path, what, reason: String| TlsError::File { path: path.to_owned(), what, reason };
        let no_chain = |reason| refused(cert, "certificate chain in PEM", reason);
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
            .and_then(Iterator::collect)
            .map_err(|error| no_chain(error.to_string()))?;
        if chain.is_empty() {
            return Err(no_chain("it has none".to_owned()));
        }
        let secret =
            PrivateKeyDer::from_pem_file(key).map_err(|error| refused(key, "private key in PEM", error.to_string()))?;
        let pair = |source| TlsError::Pair { cert: cert.to_owned(), key: key.to_owned(), source };
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(pair)?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0))
    }
}
