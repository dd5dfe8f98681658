//! The header of a package as rpm's databases hold it: what is told of the package, each under the number of a tag.

use fim_core::{PackageManager, Software, SoftwareType};

use super::number_at;
use crate::tree::TreeError;

/// A blob of which only as much is read as is asked for: a header's files and changes are many times what is told of it.
pub(super) trait Prefix {
    /// How many bytes there are in all.
    fn total(&self) -> usize;

    /// The first bytes, as many as are asked for or more; all if there are fewer.
    fn up_to(&mut self, bytes: usize) -> Result<&[u8], TreeError>;
}

/// The package that a header describes; nothing if it is one of the keys that rpm keeps among its packages.
pub(super) fn package(blob: &mut impl Prefix) -> Result<Option<Software>, TreeError> {
    let total = blob.total();
    let mut bytes = FIRST_BYTES;
    loop {
        match Header::parse(blob.up_to(bytes.min(total))?, total).and_then(|header| header.package()) {
            Ok(package) => return Ok(package),
            Err(Unfinished::Damaged(what)) => return Err(damaged(&what)),
            Err(Unfinished::More(more)) if more > total || more <= bytes => {
                return Err(damaged("a header ends early"));
            }
            Err(Unfinished::More(more)) if more > MOST_BYTES => {
                return Err(damaged("a header has the names of its package too far in"));
            }
            Err(Unfinished::More(more)) => bytes = more,
        }
    }
}

/// What to say of a file whose content makes no sense.
pub(super) fn damaged(what: &str) -> TreeError {
    TreeError::Failed(format!("it is damaged: {what}"))
}

/// Why a beginning of a header tells no package.
#[derive(Debug, Eq, PartialEq)]
enum Unfinished {
    /// It takes that many bytes to go on.
    More(usize),
    /// It makes no sense, whatever follows.
    Damaged(String),
}

/// The beginning of a header.
struct Header<'b> {
    bytes: &'b [u8],
    /// How long the whole is.
    total: usize,
    /// How many tags there are.
    tags: usize,
}

/// Where the value of a tag is.
struct Entry {
    value_type: u32,
    /// The place in the whole header.
    at: usize,
}

impl<'b> Header<'b> {
    fn parse(bytes: &'b [u8], total: usize) -> Result<Self, Unfinished> {
        let (Some(tags), Some(data)) = (number_at(bytes, 0), number_at(bytes, 4)) else {
            return Err(Unfinished::More(HEAD_BYTES));
        };
        let (tags, data) = (tags as usize, data as usize);
        if tags > MOST_TAGS || Some(total) != data.checked_add(HEAD_BYTES + tags * ENTRY_BYTES) {
            return Err(Unfinished::Damaged("a header is not as long as it says".to_owned()));
        }
        let header = Self { bytes, total, tags };
        if bytes.len() < header.data_begin() {
            Err(Unfinished::More(header.data_begin()))
        } else {
            Ok(header)
        }
    }

    fn package(&self) -> Result<Option<Software>, Unfinished> {
        let name = self.text(NAME)?.ok_or_else(|| Unfinished::Damaged("a package has no name".to_owned()))?;
        let architecture = self.text(ARCHITECTURE)?;
        // A key is stored as a package that is for no processor; no real one is without.
        if name == KEY && architecture.is_none() {
            return Ok(None);
        }
        let vendor = self.text(VENDOR)?;
        Ok(Some(Software {
            manager: PackageManager::Rpm,
            architecture,
            software_type: SoftwareType::Package,
            version: self.version()?,
            publisher: if vendor.is_some() { vendor } else { self.text(PACKAGER)? },
            description: self.text(SUMMARY)?,
            name,
        }))
    }

    /// As rpm writes a version in full: `EPOCH:VERSION-RELEASE`, the epoch only if there is one.
    fn version(&self) -> Result<Option<String>, Unfinished> {
        let Some(mut version) = self.text(VERSION)? else { return Ok(None) };
        if let Some(epoch) = self.integer(EPOCH)? {
            version = format!("{epoch}:{version}");
        }
        if let Some(release) = self.text(RELEASE)? {
            version = format!("{version}-{release}");
        }
        Ok(Some(version))
    }

    /// The text of a tag, the first if it has several: that is the one for any language. Empty is none.
    fn text(&self, tag: u32) -> Result<Option<String>, Unfinished> {
        let Some(entry) = self.entry(tag)? else { return Ok(None) };
        if ![STRING, STRINGS, TRANSLATED].contains(&entry.value_type) {
            return Err(Unfinished::Damaged(format!("the tag {tag} is no text")));
        }
        let known = self.bytes.get(entry.at..).unwrap_or_default();
        let known = known.get(..MOST_TEXT_BYTES).unwrap_or(known);
        let Some(end) = known.iter().position(|&byte| byte == 0) else {
            if known.len() == MOST_TEXT_BYTES {
                return Err(Unfinished::Damaged(format!("the tag {tag} is longer than any text")));
            }
            let more = (entry.at + TEXT_BYTES).max(self.bytes.len().saturating_mul(2)).min(self.total);
            return Err(Unfinished::More(more));
        };
        Ok(Some(String::from_utf8_lossy(&known[..end]).into_owned()).filter(|text| !text.is_empty()))
    }

    fn integer(&self, tag: u32) -> Result<Option<u32>, Unfinished> {
        let Some(entry) = self.entry(tag)? else { return Ok(None) };
        if entry.value_type != INTEGER {
            return Err(Unfinished::Damaged(format!("the tag {tag} is no number")));
        }
        number_at(self.bytes, entry.at).map(Some).ok_or(Unfinished::More(entry.at + 4))
    }

    fn entry(&self, tag: u32) -> Result<Option<Entry>, Unfinished> {
        let entries = self.bytes[HEAD_BYTES..self.data_begin()].chunks_exact(ENTRY_BYTES);
        let Some(entry) = entries.into_iter().find(|entry| number_at(entry, 0) == Some(tag)) else {
            return Ok(None);
        };
        let (value_type, offset) =
            (number_at(entry, 4).unwrap_or_default(), number_at(entry, 8).unwrap_or_default());
        let at = self.data_begin().saturating_add(offset as usize);
        if at >= self.total {
            return Err(Unfinished::Damaged(format!("the tag {tag} is behind the end of its header")));
        }
        Ok(Some(Entry { value_type, at }))
    }

    fn data_begin(&self) -> usize {
        HEAD_BYTES + self.tags * ENTRY_BYTES
    }
}

/// The number of tags and the length of the data.
const HEAD_BYTES: usize = 8;
/// A tag, the type of its value, where that is, and how many values there are.
const ENTRY_BYTES: usize = 16;
/// What rpm itself accepts.
const MOST_TAGS: usize = 0xffff;
/// Enough for the tags and names of nearly all packages.
const FIRST_BYTES: usize = 4096;
/// As much more as a text may take that is not ended yet.
const TEXT_BYTES: usize = 256;
const MOST_TEXT_BYTES: usize = 64 << 10;
/// The names stand before the files, of which a package may have very many.
const MOST_BYTES: usize = 16 << 20;

// Tags.
const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const SUMMARY: u32 = 1004;
const VENDOR: u32 = 1011;
const PACKAGER: u32 = 1015;
const ARCHITECTURE: u32 = 1022;

// Types of values.
const INTEGER: u32 = 4;
const STRING: u32 = 6;
const STRINGS: u32 = 8;
const TRANSLATED: u32 = 9;

/// The name of all keys.
const KEY: &str = "gpg-pubkey";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A header that is there as a whole, and counts how much of it was wanted.
    struct Whole {
        bytes: Vec<u8>,
        wanted: usize,
    }

    impl Prefix for Whole {
        fn total(&self) -> usize {
            self.bytes.len()
        }

        fn up_to(&mut self, bytes: usize) -> Result<&[u8], TreeError> {
            self.wanted = self.wanted.max(bytes);
            Ok(&self.bytes[..bytes.min(self.bytes.len())])
        }
    }

    fn read(bytes: Vec<u8>) -> Result<Option<Software>, TreeError> {
        package(&mut Whole { bytes, wanted: 0 })
    }

    fn header(values: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let (mut entries, mut data) = (Vec::new(), Vec::new());
        for (tag, value_type, value) in values {
            let offset = u32::try_from(data.len()).unwrap();
            entries.extend([*tag, *value_type, offset, 1].map(u32::to_be_bytes).concat());
            data.extend_from_slice(value);
        }
        let head = [values.len(), data.len()].map(|length| u32::try_from(length).unwrap().to_be_bytes());
        [head.concat(), entries, data].concat()
    }

    const KERNEL: [(u32, u32, &[u8]); 6] = [
        (NAME, STRING, b"kernel\0"),
        (VERSION, STRING, b"5.14\0"),
        (RELEASE, STRING, b"70.el9\0"),
        (SUMMARY, TRANSLATED, b"The kernel\0Der Kern\0"),
        (VENDOR, STRING, b"Red Hat\0"),
        (ARCHITECTURE, STRING, b"x86_64\0"),
    ];

    fn with(more: &[(u32, u32, &'static [u8])]) -> Vec<u8> {
        header(&[&KERNEL, more].concat())
    }

    #[test]
    fn a_package_is_read_with_what_is_published_of_it() {
        let kernel = read(with(&[])).unwrap().unwrap();
        assert_eq!(kernel.name, "kernel");
        assert_eq!(kernel.version.as_deref(), Some("5.14-70.el9"));
        assert_eq!(kernel.architecture.as_deref(), Some("x86_64"));
        assert_eq!(kernel.publisher.as_deref(), Some("Red Hat"));
        assert_eq!(kernel.description.as_deref(), Some("The kernel"));
        let kernel = read(with(&[(EPOCH, INTEGER, &[0, 0, 1, 0])])).unwrap().unwrap();
        assert_eq!(kernel.version.as_deref(), Some("256:5.14-70.el9"));
        let mut values = KERNEL;
        values[4] = (PACKAGER, STRING, b"Someone\0");
        assert_eq!(read(header(&values)).unwrap().unwrap().publisher.as_deref(), Some("Someone"));
    }

    #[test]
    fn a_key_is_no_software_and_a_package_of_its_name_is() {
        let key = [(NAME, STRING, &b"gpg-pubkey\0"[..]), (VERSION, STRING, b"1\0")];
        assert_eq!(read(header(&key)).unwrap(), None);
        let package = [&key[..], &[(ARCHITECTURE, STRING, b"noarch\0")]].concat();
        assert_eq!(read(header(&package)).unwrap().unwrap().name, "gpg-pubkey");
    }

    #[test]
    fn no_more_of_a_header_is_read_than_the_names_take() {
        let files: &[u8] = &[b'x'; 1 << 20];
        let mut whole =
            Whole { bytes: header(&[&KERNEL[..], &[(1117, STRINGS, files)]].concat()), wanted: 0 };
        assert_eq!(package(&mut whole).unwrap().unwrap().name, "kernel");
        assert!(whole.wanted <= FIRST_BYTES, "{}", whole.wanted);
        let mut values = KERNEL.to_vec();
        values.insert(0, (1117, STRINGS, files));
        assert_eq!(read(header(&values)).unwrap().unwrap().name, "kernel");
    }

    #[test]
    fn what_makes_no_sense_says_so() {
        let said = |bytes: Vec<u8>| read(bytes).unwrap_err().to_string();
        assert_eq!(said(Vec::new()), "it is damaged: a header ends early");
        assert_eq!(said(header(&KERNEL[1..])), "it is damaged: a package has no name");
        assert_eq!(said([with(&[]), vec![0]].concat()), "it is damaged: a header is not as long as it says");
        let number = (NAME, INTEGER, &[0; 4][..]);
        assert_eq!(said(header(&[number])), "it is damaged: the tag 1000 is no text");
        assert_eq!(said(header(&[(NAME, STRING, b"open")])), "it is damaged: a header ends early");
        let long: &[u8] = &[b'x'; MOST_TEXT_BYTES];
        let said_of_long = said(header(&[(NAME, STRING, long)]));
        assert_eq!(said_of_long, "it is damaged: the tag 1000 is longer than any text");
        let mut far = with(&[]);
        far[HEAD_BYTES + 8] = 1;
        assert_eq!(said(far), "it is damaged: the tag 1000 is behind the end of its header");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(bytes);
        }

        #[test]
        fn no_damage_of_a_header_makes_it_panic(at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let mut bytes = with(&[(EPOCH, INTEGER, &[0, 0, 0, 2])]);
            let at = at.index(bytes.len());
            bytes[at] = to;
            let _ = read(bytes);
        }
    }
}
