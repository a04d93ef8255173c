//! A certificate, its key and its chain for OpenSSL: from PEM, with every form of key (PKCS#8,
//! PKCS#1, SEC1, each plain or encrypted), or from PKCS#12.
//!
//! Reads bytes; it must not know files, or where a passphrase comes from.

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslContextBuilder;
use openssl::x509::X509;

/// The certificate and key of one side.
pub(super) struct Parts {
    pub(super) certificate: X509,
    key: PKey<Private>,
    /// The other certificates of the chain.
    chain: Vec<X509>,
}

impl Parts {
    pub(super) fn from_pem(chain: &[u8], key: &[u8], passphrase: &str) -> Result<Self, String> {
        let mut chain = X509::stack_from_pem(chain).map_err(words)?.into_iter();
        let certificate = chain.next().ok_or("it has no PEM certificate")?;
        // Without a passphrase, the library would ask for one on the terminal.
        let key = PKey::private_key_from_pem_passphrase(key, passphrase.as_bytes());
        let key = key.map_err(|error| match passphrase.is_empty() {
            true => "it has no PEM key without a passphrase".to_owned(),
            false => words(error),
        })?;
        Ok(Self { certificate, key, chain: chain.collect() })
    }

    pub(super) fn from_pkcs12(der: &[u8], passphrase: &str) -> Result<Self, String> {
        let archive =
            Pkcs12::from_der(der).map_err(|_| "it is not a PKCS#12 archive".to_owned())?;
        let parts = archive.parse2(passphrase).map_err(words)?;
        let (Some(key), Some(certificate)) = (parts.pkey, parts.cert) else {
            return Err("it holds no certificate with its key".to_owned());
        };
        Ok(Self { certificate, key, chain: parts.ca.into_iter().flatten().collect() })
    }

    /// Passes them to the library.
    pub(super) fn install(self, builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        // In this order, the library reports a key of another certificate; in the other order, it
        // would drop the key.
        builder.set_certificate(&self.certificate)?;
        builder.set_private_key(&self.key)?;
        self.chain.into_iter().try_for_each(|above| builder.add_extra_chain_cert(above))?;
        builder.check_private_key()
    }
}

/// The last of the library's reasons, which is the most general. The numbers before it are useless.
pub(super) fn words(error: ErrorStack) -> String {
    let reason = error.errors().iter().rev().find_map(|error| error.reason());
    reason.map_or_else(|| error.to_string(), str::to_lowercase)
}
