//! `wscope ca`: prints, explains and replaces the certificate authority of the forward proxy.

mod trust_help;

use std::fmt::Write as _;

use anyhow::Context as _;

use crate::cli::{CaAction, CaArgs, CaShell};
use crate::config::environment::authority_folder;
use crate::config::plan::quoted;
use crate::config::trust::{EXCEPTIONS, proxy_variables, trust_variables};
use crate::config::{UsageError, listen_address};
use crate::engine::exit::Exit;
use crate::event::CertificateFacts;
use crate::modes::generated;
use crate::net::authority::Authority;
use crate::net::listener::ListenAddress;
use crate::output::stderr;

/// Carries out the command. If there is no authority, creates one, because the user is about to use
/// it.
///
/// # Errors
///
/// A file can't be read or written, or the proxy's address is invalid.
pub fn run(args: CaArgs) -> anyhow::Result<Exit> {
    let folder = args.ca_dir.or_else(authority_folder).ok_or_else(|| {
        let text =
            "the certificate authority needs a folder, and HOME is not set; give --ca-dir DIR";
        UsageError::new(text.to_owned())
    })?;
    if matches!(args.action, Some(CaAction::Renew)) {
        let made = Authority::renew(&folder)?;
        return generated::print_for_people(&format!(
            "created a new certificate authority: {}\n\
             make programs trust it: `wscope ca trust-help`\n\
             remove the old one where you imported it; running proxies use the old one until they end\n",
            made.path().display()
        ));
    }
    let authority = Authority::open(&folder)?;
    if authority.is_new() {
        stderr::note(&format!("created a certificate authority: {}", authority.path().display()));
    }
    let is_page = args.action.is_none();
    let text = match args.action {
        None | Some(CaAction::Renew) => overview(&authority)?,
        Some(CaAction::Path) => format!("{}\n", authority.path().display()),
        Some(CaAction::Pem) => authority.pem().to_owned(),
        Some(CaAction::Spki) => format!("{}\n", authority.spki()),
        Some(CaAction::Env { proxy, shell }) => env(&authority, proxy.as_deref(), shell)?,
        Some(CaAction::Bundle { file }) => {
            let roots = authority.write_bundle(&file)?;
            if roots == 0 {
                stderr::note(
                    "the system's certificates were not found: the bundle contains only wscope's",
                );
            }
            return Ok(Exit::Success);
        }
        Some(CaAction::TrustHelp { target }) => trust_help::text(
            target,
            &quoted(&authority.path().to_string_lossy()),
            &authority.spki(),
        ),
    };
    match is_page {
        true => generated::print_for_people(&text),
        // The user will copy the output.
        false => generated::print(&text),
    }
}

fn overview(authority: &Authority) -> anyhow::Result<String> {
    let facts = CertificateFacts::from_der(authority.der()).context("the certificate")?;
    Ok(format!(
        "certificate  {}\nsubject      {}\nvalid        {} to {}\nSPKI hash    {}\n\n\
         wscope ca trust-help shows how to make programs trust it\n",
        authority.path().display(),
        facts.subject,
        facts.not_before,
        facts.not_after,
        authority.spki()
    ))
}

fn env(authority: &Authority, proxy: Option<&str>, shell: CaShell) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut variables = trust_variables(&authority.path(), &authority.bundle()?);
    if let Some(proxy) = proxy {
        variables.extend(proxy_variables(&proxy_url(proxy)?));
        for name in EXCEPTIONS {
            let _ = match shell {
                CaShell::Sh => writeln!(text, "unset {name}"),
                CaShell::Fish => writeln!(text, "set -e {name}"),
            };
        }
    }
    for (name, value) in variables {
        let value = value.to_string_lossy();
        let _ = match shell {
            CaShell::Sh => writeln!(text, "export {name}={}", quoted(&value)),
            CaShell::Fish => {
                let value = value.replace('\\', "\\\\").replace('\'', "\\'");
                writeln!(text, "set -gx {name} '{value}'")
            }
        };
    }
    Ok(text)
}

/// The URL of a proxy that listens at this address; a URL stays unchanged.
fn proxy_url(text: &str) -> Result<String, UsageError> {
    if text.contains("://") {
        return Ok(text.to_owned());
    }
    Ok(match listen_address(text)? {
        ListenAddress::Address(address) => format!("http://{address}"),
        ListenAddress::Loopback(port) | ListenAddress::Everywhere(port) => {
            format!("http://127.0.0.1:{port}")
        }
        ListenAddress::Unix { path, .. } => {
            let text = format!("{} is not the address of a proxy", path.display());
            return Err(UsageError::new(text));
        }
    })
}
