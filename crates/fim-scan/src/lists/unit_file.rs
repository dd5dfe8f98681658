//! Unit files of systemd: `systemd.syntax(7)`.

/// What is read of a unit file and its drop-ins.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct UnitFile {
    pub(super) description: Option<String>,
    /// The commands that are run, without the marks before them.
    pub(super) commands: Vec<String>,
    pub(super) user: Option<String>,
    pub(super) has_dynamic_user: bool,
}

impl UnitFile {
    /// Takes in a file; a later one wins over an earlier one, as drop-ins do over what they are dropped into.
    pub(super) fn take_in(&mut self, content: &[u8]) {
        let text = String::from_utf8_lossy(content);
        let mut section = "";
        for line in logical_lines(&text) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = match name {
                    "Unit" => "Unit",
                    "Service" => "Service",
                    _ => "",
                };
            } else if let Some((key, value)) = line.split_once('=') {
                self.set(section, key.trim(), value.trim());
            }
        }
    }

    fn set(&mut self, section: &str, key: &str, value: &str) {
        let text = || (!value.is_empty()).then(|| value.to_owned());
        match (section, key) {
            ("Unit", "Description") => self.description = text(),
            // An empty value takes back what was there before.
            ("Service", "ExecStart") if value.is_empty() => self.commands.clear(),
            ("Service", "ExecStart") => self.commands.push(value.trim_start_matches(MARKS).to_owned()),
            ("Service", "User") => self.user = text(),
            ("Service", "DynamicUser") => {
                self.has_dynamic_user = matches!(value, "yes" | "true" | "on" | "1" | "y" | "t");
            }
            _ => {}
        }
    }
}

/// The lines without comments, those that end in a backslash joined with the next.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with(['#', ';']) || (line.is_empty() && !is_open) {
            continue;
        }
        let (part, continues) = match line.strip_suffix('\\') {
            Some(part) => (part.trim_end(), true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| is_open) {
            Some(last) => {
                last.push(' ');
                last.push_str(part);
            }
            None => lines.push(part.to_owned()),
        }
        is_open = continues;
    }
    lines
}

/// What may stand before a command and says how it is run (`systemd.service(5)`).
const MARKS: [char; 6] = ['-', '@', ':', '+', '!', '|'];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_drop_in_wins_over_the_file() {
        let mut unit = UnitFile::default();
        unit.take_in(
            b"# comment\n[Unit]\nDescription=A daemon\n[Service]\nType=notify\nExecStart=-/usr/sbin/a \\\n  --one \\\n; no\n  two\n\
              User=a\n[Install]\nDescription=not this\n",
        );
        assert_eq!(unit.description.as_deref(), Some("A daemon"));
        assert_eq!(unit.commands, ["/usr/sbin/a --one two"]);
        unit.take_in(b"[Service]\nExecStart=\nExecStart=/usr/bin/b\nUser=\nDynamicUser=yes\n");
        assert_eq!(unit.commands, ["/usr/bin/b"]);
        assert_eq!(unit.user, None);
        assert!(unit.has_dynamic_user);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(content in prop::collection::vec(any::<u8>(), 0..200)) {
            UnitFile::default().take_in(&content);
        }

        #[test]
        fn no_text_of_units_makes_it_panic(content in "(\\[(Unit|Service)?\\]?|ExecStart=?|User|[ =\\\\;#a\\n]){0,40}") {
            UnitFile::default().take_in(content.as_bytes());
        }
    }
}
