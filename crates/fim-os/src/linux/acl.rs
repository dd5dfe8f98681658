//! POSIX access control lists, from the kernel's form to the long text form of `acl(5)`.
//!
//! The form is that of `linux/posix_acl_xattr.h`: a version, then entries of tag, permissions and id, little endian.

use super::principals::Principals;

/// The text of an access and a default list, one entry a line; empty lists give nothing. `None` if one of them is not
/// in the form that is known.
pub(super) fn to_text(access: &[u8], default: &[u8], principals: &Principals) -> Option<String> {
    let mut text = String::new();
    for (prefix, list) in [("", access), ("default:", default)] {
        if list.is_empty() {
            continue;
        }
        let (version, entries) = list.split_first_chunk::<4>()?;
        if u32::from_le_bytes(*version) != VERSION {
            return None;
        }
        let (entries, []) = entries.as_chunks::<8>() else { return None };
        for entry in entries {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(prefix);
            push_entry(&mut text, entry, principals)?;
        }
    }
    Some(text)
}

fn push_entry(text: &mut String, entry: &[u8; 8], principals: &Principals) -> Option<()> {
    let [tag_low, tag_high, permissions, permissions_high, id @ ..] = *entry;
    if permissions_high != 0 || permissions > 0o7 {
        return None;
    }
    let id = u32::from_le_bytes(id);
    let name = |name: Option<String>| name.unwrap_or_else(|| id.to_string());
    let (kind, qualifier) = match u16::from_le_bytes([tag_low, tag_high]) {
        USER_OBJ => ("user", String::new()),
        USER => ("user", name(principals.user(id).name)),
        GROUP_OBJ => ("group", String::new()),
        GROUP => ("group", name(principals.group(id).name)),
        MASK => ("mask", String::new()),
        OTHER => ("other", String::new()),
        _ => return None,
    };
    text.push_str(kind);
    text.push(':');
    text.push_str(&qualifier);
    text.push(':');
    for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
        text.push(if permissions & bit != 0 { letter } else { '-' });
    }
    Some(())
}

const VERSION: u32 = 2;
const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
        let mut bytes = VERSION.to_le_bytes().to_vec();
        for (tag, permissions, id) in entries {
            bytes.extend_from_slice(&tag.to_le_bytes());
            bytes.extend_from_slice(&permissions.to_le_bytes());
            bytes.extend_from_slice(&id.to_le_bytes());
        }
        bytes
    }

    fn principals() -> Principals {
        Principals::parse(b"root:x:0:0::/root:/bin/sh\nlisa:x:1000:1000::/:/bin/sh\n", b"staff:x:50:\n")
    }

    #[test]
    fn a_list_reads_as_getfacl_shows_it() {
        let none = u32::MAX;
        let access = list(&[
            (USER_OBJ, 6, none),
            (USER, 4, 1000),
            (USER, 7, 4242),
            (GROUP_OBJ, 4, none),
            (GROUP, 5, 50),
            (MASK, 7, none),
            (OTHER, 0, none),
        ]);
        let text = to_text(&access, &[], &principals()).unwrap();
        assert_eq!(
            text,
            "user::rw-\nuser:lisa:r--\nuser:4242:rwx\ngroup::r--\ngroup:staff:r-x\nmask::rwx\nother::---"
        );
    }

    #[test]
    fn the_default_list_of_a_directory_comes_after_its_own() {
        let one = list(&[(USER_OBJ, 7, 0)]);
        assert_eq!(to_text(&one, &one, &principals()).unwrap(), "user::rwx\ndefault:user::rwx");
    }

    #[test]
    fn no_list_has_no_text() {
        assert_eq!(to_text(&[], &[], &principals()).unwrap(), "");
    }

    #[test]
    fn what_is_not_such_a_list_is_refused() {
        let mut newer = list(&[(OTHER, 0, 0)]);
        newer[0] = 3;
        for bad in [&newer[..], &[2, 0, 0], &list(&[(0x40, 0, 0)]), &list(&[(USER, 8, 0)]), &[2, 0, 0, 0, 1]]
        {
            assert_eq!(to_text(bad, &[], &principals()), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            access in prop::collection::vec(any::<u8>(), 0..80),
            default in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let _ = to_text(&access, &default, &principals());
        }
    }
}
