//! The sensor as a program.

fn main() {}
