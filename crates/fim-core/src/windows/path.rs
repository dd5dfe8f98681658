//! How the system's calls spell paths, and how people do.

use crate::{EntityPath, PathStyle};

/// The path as people write it, of one behind a prefix that keeps the system from changing it: `\\?\C:\x` and `\??\C:\x`
/// are `C:\x`, `\\?\UNC\server\share` is `\\server\share`. What has no other spelling is left as it is.
pub fn without_prefix(path: &[u8]) -> Vec<u8> {
    let Some(inner) = path.strip_prefix(br"\\?\").or_else(|| path.strip_prefix(br"\??\")) else {
        return path.to_vec();
    };
    match inner {
        [letter, b':'] | [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic() => inner.to_vec(),
        _ => match inner.split_at_checked(4) {
            Some((unc, server)) if unc.eq_ignore_ascii_case(br"UNC\") => [br"\\", server].concat(),
            Some(_) | None => path.to_vec(),
        },
    }
}

/// The path as the system's own call opens it: `\??\C:\x`. Nothing for a path that is none of Windows, or leads nowhere
/// by itself.
pub fn native_path(path: &EntityPath) -> Option<Vec<u8>> {
    match (path.style(), path.as_bytes()) {
        (PathStyle::Unix, _) => None,
        (PathStyle::Windows, [b'\\', b'\\', b'?', b'\\', rest @ ..]) => Some([br"\??\", rest].concat()),
        (PathStyle::Windows, [b'\\', b'\\', rest @ ..]) => Some([br"\??\UNC\", rest].concat()),
        (PathStyle::Windows, drive @ [letter, b':']) if letter.is_ascii_alphabetic() => {
            Some([br"\??\", drive, br"\"].concat())
        }
        (PathStyle::Windows, whole @ [letter, b':', b'\\', ..]) if letter.is_ascii_alphabetic() => {
            Some([br"\??\", whole].concat())
        }
        (PathStyle::Windows, _) => None,
    }
}

/// True if a link that leads there leads to another machine.
pub fn leads_elsewhere(target: &[u8]) -> bool {
    let usual = without_prefix(target);
    usual.starts_with(br"\\") && !usual.starts_with(br"\\?\")
}
