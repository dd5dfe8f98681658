//! Puts the built web page into the program: `web/dist`, if it is there.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = root.join("../../web/dist");
    // A folder that is missing would make every build start anew, so an empty one stands for it.
    if dist.parent().is_some_and(Path::exists) {
        let _ = fs::create_dir_all(&dist);
    }
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=build.rs");

    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let kept = out.join("web");
    let _ = fs::remove_dir_all(&kept);
    let mut files = Vec::new();
    collect(&dist, &dist, &mut files);
    files.sort();
    // The compiler reads copies: the page may be built anew while the program is.
    files.retain(|name| keep(&dist, &kept, name));
    let mut code = String::from("/// The files of the web page by path.\npub static FILES: &[File] = &[\n");
    for name in files.iter().filter(|name| !is_variant(name, &files)) {
        let include = |suffix: &str| {
            let variant = format!("{name}{suffix}");
            files
                .contains(&variant)
                .then(|| format!("include_bytes!({:?})", kept.join(variant).display().to_string()))
        };
        let option = |text: Option<String>| text.map_or("None".to_owned(), |text| format!("Some({text})"));
        let _ = writeln!(
            code,
            "    File {{ path: {name:?}, plain: {}, gzip: {}, brotli: {} }},",
            include("").unwrap_or_else(|| "&[]".to_owned()),
            option(include(".gz")),
            option(include(".br"))
        );
    }
    code.push_str("];\n");
    let list = out.join("web_files.rs");
    if let Err(error) = fs::write(&list, code) {
        println!("cargo::error=cannot write {}: {error}", list.display());
    }
}

/// Copies one file; false if it is gone.
fn keep(dist: &Path, kept: &Path, name: &str) -> bool {
    let to = kept.join(name);
    to.parent().is_some_and(|folder| fs::create_dir_all(folder).is_ok())
        && fs::copy(dist.join(name), to).is_ok()
}

/// Lists files by their path below `base`, with `/`.
fn collect(base: &Path, folder: &Path, files: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(base, &path, files);
        } else if let Ok(relative) = path.strip_prefix(base)
            && let Some(name) = relative.to_str()
        {
            files.push(name.replace('\\', "/"));
        }
    }
}

/// True for the compressed form of a file that is there itself.
fn is_variant(name: &str, files: &[String]) -> bool {
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".br"));
    plain.is_some_and(|plain| files.iter().any(|file| file == plain))
}
