//! The project's own chores: tidy, gen, bench.

fn main() {}
