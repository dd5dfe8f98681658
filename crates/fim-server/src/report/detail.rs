//! One change with every attribute before and after.

use super::table::{ReportError, Row};
use crate::api::model::{Attribute, ChangeCategory, ChangeType};
use crate::clock::Moment;

/// Every attribute before and after, the ones that tell most first.
pub fn attributes(row: Row<'_>) -> Result<Vec<Attribute>, ReportError> {
    let category: ChangeCategory = row.word("ChangeCategory")?;
    let sides = Sides {
        has_before: category != ChangeCategory::Added,
        has_after: category != ChangeCategory::Removed,
    };
    let mut attributes = match row.word("ConfigChangeType")? {
        ChangeType::Files => of_file(row, sides)?,
        ChangeType::Registry => of_registry(row, sides)?,
        ChangeType::Daemons | ChangeType::WindowsServices => of_service(row, sides)?,
        ChangeType::Software => of_software(row, sides)?,
    };
    attributes.retain(|attribute| attribute.before.is_some() || attribute.after.is_some());
    Ok(attributes)
}

/// The SHA-256 of the content before and after, as far as the change says them.
pub fn digests(row: Row<'_>) -> Result<[Option<String>; 2], ReportError> {
    let [before, after] = ["PreviousFileContentChecksum", "FileContentChecksum"];
    Ok([checksum(row.text(before)?), checksum(row.text(after)?)])
}

fn of_file(row: Row<'_>, sides: Sides) -> Result<Vec<Attribute>, ReportError> {
    let path = row.text("FileSystemPath")?;
    let path_before = some(row.text("PreviousFileSystemPath")?);
    let mut attributes = Vec::new();
    // What stayed where it was has its path above all attributes.
    if path_before.is_some() {
        attributes.push(sides.pair("Path", path_before, some(path)));
    }
    attributes.extend([
        sides.pair(
            "SHA-256",
            checksum(row.text("PreviousFileContentChecksum")?),
            checksum(row.text("FileContentChecksum")?),
        ),
        sides.pair("Size", row.number_text("PreviousSize")?, row.number_text("Size")?),
    ]);
    let before = parts(row.text("PreviousAttributes")?);
    let after = parts(row.text("Attributes")?);
    let value = |side: &[(String, String)], name: &str| {
        side.iter().find(|(part, _)| part == name).map(|(_, value)| value.clone())
    };
    let mut names: Vec<&String> = before.iter().map(|(name, _)| name).collect();
    names.extend(
        after.iter().map(|(name, _)| name).filter(|name| !before.iter().any(|(part, _)| part == *name)),
    );
    attributes.extend(names.iter().map(|name| sides.pair(name, value(&before, name), value(&after, name))));
    attributes.push(sides.pair("ACL", some(row.text("PreviousAcls")?), some(row.text("Acls")?)));
    let time = |column| Ok::<_, ReportError>(row.moment(column)?.as_ref().map(Moment::to_string));
    attributes.push(sides.pair("Modified", time("PreviousDateModified")?, time("DateModified")?));
    attributes.push(sides.pair("Created", time("PreviousDateCreated")?, time("DateCreated")?));
    Ok(attributes)
}

fn of_registry(row: Row<'_>, sides: Sides) -> Result<Vec<Attribute>, ReportError> {
    let mut attributes = Vec::new();
    for (name, before, after) in
        [("Value type", "PreviousValueType", "ValueType"), ("Value data", "PreviousValueData", "ValueData")]
    {
        attributes.push(sides.pair(name, some(row.text(before)?), some(row.text(after)?)));
    }
    attributes.extend(of_file(row, sides)?);
    Ok(attributes)
}

/// A service's row has what it was only where that changed.
fn of_service(row: Row<'_>, sides: Sides) -> Result<Vec<Attribute>, ReportError> {
    let fields = row.text("FieldsChanged")?;
    let pairs = SERVICE.iter().map(|&(name, now, before)| {
        let after = some(row.text(now)?);
        let is_changed = fields.split(", ").any(|field| field == now);
        let was = if is_changed || !sides.has_after { some(row.text(before)?) } else { after.clone() };
        Ok(sides.pair(name, was.filter(|_| sides.has_before), after))
    });
    let mut attributes = pairs.collect::<Result<Vec<_>, ReportError>>()?;
    let named = some(row.text("SvcDisplayName")?);
    let of = |has_side: bool| named.clone().filter(|_| has_side);
    attributes.push(sides.pair("Display name", of(sides.has_before), of(sides.has_after)));
    Ok(attributes)
}

fn of_software(row: Row<'_>, sides: Sides) -> Result<Vec<Attribute>, ReportError> {
    let mut attributes = vec![sides.pair("Version", some(row.text("Previous")?), some(row.text("Current")?))];
    let mut add = |name: &str, value: Option<String>| {
        let of = |has_side: bool| value.clone().filter(|_| has_side);
        attributes.push(sides.pair(name, of(sides.has_before), of(sides.has_after)));
    };
    for (name, column) in
        [("Type", "SoftwareType"), ("Publisher", "Publisher"), ("Description", "SoftwareDescription")]
    {
        add(name, some(row.text(column)?));
    }
    for (name, value) in parts(row.text("Attributes")?) {
        add(&name, Some(value));
    }
    Ok(attributes)
}

/// Which sides a change has.
#[derive(Clone, Copy)]
struct Sides {
    has_before: bool,
    has_after: bool,
}

impl Sides {
    fn pair(self, name: &str, before: Option<String>, after: Option<String>) -> Attribute {
        let changed = self.has_before && self.has_after && before != after;
        let mono = matches!(
            name,
            "SHA-256"
                | "Mode"
                | "Target"
                | "ACL"
                | "Xattrs"
                | "Inode"
                | "Capabilities"
                | "SecurityLabel"
                | "Flags"
                | "Path"
                | "Value data"
        );
        Attribute { name: name.to_owned(), before, after, changed, mono }
    }
}

/// `Name=value` pairs between `; `. A value may hold anything, so a piece without a known name belongs to the one
/// before it.
fn parts(text: &str) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    for piece in text.split("; ") {
        match (piece.split_once('='), parts.last_mut()) {
            (Some((name, value)), _) if NAMES.contains(&name) => {
                parts.push((name.to_owned(), value.to_owned()))
            }
            (_, Some((_, last))) => {
                last.push_str("; ");
                last.push_str(piece);
            }
            (_, None) => {}
        }
    }
    parts
}

/// The digest in the checksum's envelope.
fn checksum(envelope: &str) -> Option<String> {
    let (_, rest) = envelope.split_once("Hash=")?;
    rest.split_once(' ').map(|(hash, _)| hash.to_owned())
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The names in the column `Attributes`.
const NAMES: [&str; 14] = [
    "Type",
    "Class",
    "Mode",
    "Owner",
    "Group",
    "Inode",
    "Links",
    "Target",
    "Capabilities",
    "SecurityLabel",
    "Flags",
    "Xattrs",
    "Manager",
    "Architecture",
];

/// What the page calls an attribute of a service, and the columns of what it is and was.
const SERVICE: [(&str, &str, &str); 6] = [
    ("State", "SvcState", "SvcPreviousState"),
    ("Start-up", "SvcStartupType", "SvcPreviousStartupType"),
    ("Path", "SvcPath", "SvcPreviousPath"),
    ("Account", "SvcAccount", "SvcPreviousAccount"),
    ("Run levels", "SvcRunlevels", "SvcPreviousRunlevels"),
    ("Controller", "SvcController", "SvcPreviousController"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_with_a_semicolon_stays_whole() {
        let parts = parts("Type=Symlink; Mode=0777; Target=/a; b=c; Xattrs=user.x");
        assert_eq!(parts[2], ("Target".to_owned(), "/a; b=c".to_owned()));
        assert_eq!(parts.len(), 4);
    }

    #[test]
    fn the_digest_is_taken_out_of_its_envelope() {
        assert_eq!(checksum("@{{Algoritm=SHA-256 Hash=AB12 Path=/x}}").as_deref(), Some("AB12"));
        assert_eq!(checksum(""), None);
    }
}
