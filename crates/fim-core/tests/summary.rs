//! What is known of an entity, as text for the published columns.

use fim_core::{
    Acl, Digest, Entity, EntityKey, EntityKind, EntityPath, FileAttributes, FileFlags, Principal, Xattr,
    acl_text, attributes_text, checksum_text,
};

fn file() -> Entity {
    Entity {
        key: EntityKey::File(EntityPath::unix(b"/etc/a\n.conf".to_vec())),
        kind: EntityKind::File,
        attributes: FileAttributes {
            mode: Some(0o4644),
            owner: Some(Principal { id: 0.into(), name: Some("root".to_owned()) }),
            group: Some(Principal { id: 1234.into(), name: None }),
            inode: Some(12),
            links: Some(1),
            ..FileAttributes::default()
        },
        digest: Some(Digest([0xab; 32])),
    }
}

#[test]
fn attributes_are_one_line_without_what_is_unknown() {
    let mut file = file();
    assert_eq!(
        attributes_text(&file),
        "Type=File; Mode=4644; Owner=root(0); Group=(1234); Inode=12; Links=1"
    );
    file.attributes.target = Some(b"../x\ny".to_vec());
    file.attributes.xattrs = Some(vec![
        Xattr {
            name: b"security.capability".to_vec(),
            value: vec![1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        },
        Xattr { name: b"security.selinux".to_vec(), value: b"system_u:object_r:etc_t:s0\0".to_vec() },
        Xattr { name: b"user.x".to_vec(), value: vec![1] },
    ]);
    assert_eq!(
        attributes_text(&file),
        "Type=File; Mode=4644; Owner=root(0); Group=(1234); Inode=12; Links=1; Target=../x\\x0ay; \
         Capabilities=cap_net_raw=ep; SecurityLabel=system_u:object_r:etc_t:s0; Xattrs=user.x"
    );
    file.attributes.flags = Some(FileFlags::APPEND_ONLY.with(FileFlags::IMMUTABLE));
    assert!(attributes_text(&file).contains("; Flags=ia; "));
    file.attributes = FileAttributes { xattrs: Some(vec![]), ..FileAttributes::default() };
    assert_eq!(attributes_text(&file), "Type=File");
}

#[test]
fn an_acl_is_one_line_made_from_the_mode_where_there_is_none() {
    let mut file = file();
    assert_eq!(acl_text(&file), "user::rw-,group::r--,other::r--");
    file.attributes.acl = Some(Acl::default());
    assert_eq!(acl_text(&file), "user::rw-,group::r--,other::r--");
    file.attributes.acl = Some(Acl("user::rw-\nuser:ann:r-x\nmask::r-x\n".to_owned()));
    assert_eq!(acl_text(&file), "user::rw-,user:ann:r-x,mask::r-x");
    file.attributes = FileAttributes::default();
    assert_eq!(acl_text(&file), "");
}

#[test]
fn a_checksum_is_spelled_as_published_queries_parse_it() {
    let mut file = file();
    let hash = "AB".repeat(32);
    assert_eq!(checksum_text(&file), format!("@{{{{Algoritm=SHA-256 Hash={hash} Path=/etc/a\\x0a.conf}}}}"));
    file.digest = None;
    assert_eq!(checksum_text(&file), "");
}
