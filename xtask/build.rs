//! Hands the name of the platform on to the program.

fn main() {
    println!("cargo:rustc-env=HOST={}", std::env::var("TARGET").unwrap_or_default());
    println!("cargo:rerun-if-changed=build.rs");
}
