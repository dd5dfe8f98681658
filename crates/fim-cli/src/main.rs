//! The program steadfast: server, command line client, everything on one machine.

fn main() {}
