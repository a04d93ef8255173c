//! Links OpenSSL, and the unwinder of GCC, statically on Linux where their archives are installed.
//!
//! The dynamic loader resolves some four thousand symbols of libcrypto before `main` runs, which
//! is more than half of the time of a short `ws://` run that never touches TLS. Debian's
//! libssl-dev brings the archives; a directory that holds nothing else, searched before the
//! system's, makes the linker take them. The unwinder, `libgcc_s`, is one more library to load for
//! some tens of kilobytes. `WSCOPE_DYNAMIC_OPENSSL=1` links the shared library.
//!
//! On Linux the executable has a fixed address: a position-independent one has 34,000 relative
//! relocations, most of them OpenSSL's, and applying them at each start copies 180 pages.
//!
//! In a release build on Linux the functions that the usual runs call are next to each other, by
//! link.ld (`scripts/order` makes it): the kernel maps the neighbours of each page that is used, so
//! functions that are scattered over the program hold several MiB more. LLD, which rustc uses, and
//! GNU ld can do that; where RUSTFLAGS choose another linker, the functions stay where they are.

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
    if linux && native {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    println!("cargo:rerun-if-changed=link.ld");
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if linux && native && release && !flags.contains("fuse-ld") {
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{folder}/link.ld");
    }
}

/// Does nothing for what is not installed: then it is linked as it would be otherwise.
fn prefer_archives() -> Option<()> {
    let ours = Path::new(&env::var_os("OUT_DIR")?).join("archives");
    fs::create_dir_all(&ours).ok()?;
    if let Some(libdir) = said_by("pkg-config", &["--variable=libdir", "libssl"]) {
        let archives = ["libssl.a", "libcrypto.a"].map(|name| (name, libdir.join(name)));
        if archives.iter().all(|(_, archive)| archive.is_file()) {
            archives.iter().try_for_each(|(name, archive)| link(archive, &ours.join(name)))?;
        }
    }
    if let Some(unwinder) = said_by("cc", &["-print-file-name=libgcc_eh.a"]).filter(|p| p.is_file())
    {
        link(&unwinder, &ours.join("libgcc_s.a"))?;
    }
    println!("cargo:rustc-link-search=native={}", ours.display());
    Some(())
}

/// The path a command prints.
fn said_by(command: &str, args: &[&str]) -> Option<PathBuf> {
    let output = Command::new(command).args(args).output().ok().filter(|o| o.status.success())?;
    let path = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(path.trim())).filter(|path| path.is_absolute())
}

fn link(archive: &Path, link: &Path) -> Option<()> {
    let _ = fs::remove_file(link);
    std::os::unix::fs::symlink(archive, link).ok()
}
