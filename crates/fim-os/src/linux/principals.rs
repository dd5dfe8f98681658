//! The names of users and groups, from the local files alone.
//!
//! The system's own lookup may ask the network, and then a scan would wait for a directory server. A user who is known
//! there only is shown by number.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;

use fim_core::Principal;

/// The names that users and groups have.
#[derive(Debug, Default)]
pub(super) struct Principals {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

impl Principals {
    /// Reads `/etc/passwd` and `/etc/group`; without them everybody has a number only.
    pub(super) fn of_this_machine() -> Self {
        Self::parse(&read_start("/etc/passwd"), &read_start("/etc/group"))
    }

    /// Takes the names from the two files' bytes; both have the name first and the id third. The first of several
    /// names for one id counts, as it does for the system.
    pub(super) fn parse(users: &[u8], groups: &[u8]) -> Self {
        Self { users: parse(users), groups: parse(groups) }
    }

    pub(super) fn user(&self, id: u32) -> Principal {
        Principal { id: id.into(), name: self.users.get(&id).cloned() }
    }

    pub(super) fn group(&self, id: u32) -> Principal {
        Principal { id: id.into(), name: self.groups.get(&id).cloned() }
    }
}

fn read_start(path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        // A file that breaks off in the middle still names those before.
        let _ = file.take(LARGEST_FILE_BYTES).read_to_end(&mut bytes);
    }
    bytes
}

fn parse(bytes: &[u8]) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in bytes.split(|&byte| byte == b'\n') {
        let mut fields = line.split(|&byte| byte == b':');
        let (Some(name), _, Some(id)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let (Ok(name), Ok(id)) = (std::str::from_utf8(name), std::str::from_utf8(id)) else { continue };
        let Ok(id) = id.parse() else { continue };
        if !name.is_empty() && names.len() < MOST_NAMES {
            names.entry(id).or_insert_with(|| name.to_owned());
        }
    }
    names
}

const LARGEST_FILE_BYTES: u64 = 8 << 20;
const MOST_NAMES: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_an_id_counts() {
        let principals = Principals::parse(b"root:x:0:0:::\ntoor:x:0:0:::\n", b"wheel:x:0:root\n");
        assert_eq!(principals.user(0).name.as_deref(), Some("root"));
        assert_eq!(principals.group(0).name.as_deref(), Some("wheel"));
    }

    #[test]
    fn who_is_not_listed_has_a_number_only() {
        let principals = Principals::parse(b"", b"");
        assert_eq!(principals.user(4242), Principal { id: 4242.into(), name: None });
    }

    #[test]
    fn lines_that_make_no_sense_are_passed_over() {
        let principals =
            Principals::parse(b"#c\n\n:x:5:\nx\nbad:x:no:\n\xff\xfe:x:6:\n+::::::\nok:x:7:7\n", b"");
        assert_eq!(principals.users.len(), 1);
        assert_eq!(principals.user(7).name.as_deref(), Some("ok"));
    }
}
