//! Links OpenSSL statically on Linux where its archives are installed.
//!
//! The dynamic loader resolves some four thousand symbols of libcrypto before `main` runs, which
//! is more than half of the time of a short `ws://` run that never touches TLS. Debian's
//! libssl-dev brings the archives; a directory that holds nothing else, searched before the
//! system's, makes the linker take them. `WSCOPE_DYNAMIC_OPENSSL=1` links the shared library.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=WSCOPE_DYNAMIC_OPENSSL");
    let linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    let native = env::var("HOST").ok() == env::var("TARGET").ok();
    let dynamic = env::var_os("WSCOPE_DYNAMIC_OPENSSL").is_some();
    if linux && native && !dynamic {
        prefer_archives();
    }
}

/// Does nothing when there is no pkg-config, no archive or no link to be made: then OpenSSL is
/// linked as openssl-sys finds it.
fn prefer_archives() -> Option<()> {
    let output = Command::new("pkg-config").args(["--variable=libdir", "libssl"]).output().ok()?;
    let libdir = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let archives = ["libssl.a", "libcrypto.a"].map(|name| (name, libdir.join(name)));
    if !archives.iter().all(|(_, archive)| archive.is_file()) {
        return None;
    }
    let ours = Path::new(&env::var_os("OUT_DIR")?).join("archives");
    fs::create_dir_all(&ours).ok()?;
    for (name, archive) in archives {
        let link = ours.join(name);
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(archive, link).ok()?;
    }
    println!("cargo:rustc-link-search=native={}", ours.display());
    Some(())
}
