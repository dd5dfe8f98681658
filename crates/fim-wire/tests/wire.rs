//! What is written can be read back, today and for ever, and nothing else can do harm.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../fim-core/tests/support/mod.rs"]
mod support;

use std::sync::Arc;

use fim_core::{
    Actor, Ancestor, AspectSet, ChangeEvent, ChangeId, ChangeSource, Controller, Daemon, DaemonState,
    EntityPath, Gap, GapCause, GapScope, ListKind, ListMemory, ListPart, Listed, Memory, OpenGap,
    PackageManager, PartMemory, PathStyle, Principal, RuleSet, RunLevels, Software, SoftwareType,
    StartupType, Timestamp, Who, WhoUnknown, diff, recommended_linux,
};
use fim_wire::{
    Batch, Inventory, Limits, Report, Seen, WireError, append_entity, decode_batch, decode_entity,
    decode_lists, decode_memory, decode_report, encode_batch, encode_entity, encode_lists, encode_memory,
    encode_report, take_entity,
};
use proptest::prelude::*;
use support::{aspects, entity, entity_at};

fn gap() -> impl Strategy<Value = Gap> {
    let scope = prop_oneof![
        Just(GapScope::Everything),
        prop::collection::vec(any::<u8>(), 0..8)
            .prop_map(|bytes| GapScope::Within(EntityPath::windows(bytes))),
        prop::sample::select(ListKind::ALL.to_vec()).prop_map(GapScope::List),
        prop::sample::select(ListPart::ALL.to_vec()).prop_map(GapScope::Part),
    ];
    let cause = prop::sample::select(vec![
        GapCause::AgentStopped,
        GapCause::AgentNotReporting,
        GapCause::Unreadable,
        GapCause::ScanCutShort,
        GapCause::StateLost,
        GapCause::SpoolFull,
        GapCause::SpoolDamaged,
        GapCause::ReportRejected,
        GapCause::RecordsLost,
        GapCause::TooManyGaps,
        GapCause::NoticesLost,
        GapCause::MountsChanged,
        GapCause::BaselinePending,
        GapCause::RuleUnusable,
        GapCause::AgentSuspended,
        GapCause::ClockChanged,
    ]);
    (scope, any::<i64>(), prop::option::of(any::<u32>()), cause, "\\PC{0,12}").prop_map(
        |(scope, start, length, cause, detail)| Gap {
            scope,
            start: Timestamp(start),
            end: length.map(|length| Timestamp(start.saturating_add(length.into()))),
            cause,
            detail,
        },
    )
}

fn who() -> impl Strategy<Value = Who> {
    let ancestor = (any::<u32>(), "\\PC{0,5}").prop_map(|(process_id, name)| Ancestor { process_id, name });
    let known = (
        any::<u32>(),
        prop::option::of(any::<u64>()),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..6)),
        prop::option::of("\\PC{0,8}"),
        prop::collection::vec(ancestor, 0..=Actor::MAX_PARENTS),
        prop::option::of(any::<u32>()),
    );
    let actor = known.prop_map(|(process_id, started_nanos, executable, text, parents, session)| {
        Arc::new(Actor {
            process_id,
            started_nanos,
            executable: executable.map(EntityPath::unix),
            command_line: text.clone(),
            user: session.map(|id| Principal { id: id.into(), name: text.clone() }),
            login_user: session.map(|id| Principal { id: id.into(), name: None }),
            session,
            parents,
            has_own_view: session.is_some(),
            container: text,
        })
    });
    let unknown = prop::option::of(prop::sample::select(vec![
        WhoUnknown::NotTold,
        WhoUnknown::Ended,
        WhoUnknown::NoticeLost,
        WhoUnknown::NotNoticed,
        WhoUnknown::NumberReused,
        WhoUnknown::RecordsLost,
        WhoUnknown::NoHandle,
        WhoUnknown::FileNumberReused,
        WhoUnknown::NotListening,
    ]));
    (prop::collection::vec(actor, 0..=Who::MAX_ACTORS), any::<u32>(), unknown)
        .prop_map(|(actors, more, unknown)| Who::of(actors, more, unknown))
}

fn change() -> impl Strategy<Value = ChangeEvent> {
    let path = EntityPath::unix(b"/etc/\xff\n.conf".to_vec());
    let sides = (prop::option::of(entity_at(path.clone())), prop::option::of(entity_at(path)));
    let source =
        prop::sample::select(vec![ChangeSource::Scan, ChangeSource::RealTime, ChangeSource::Agentless]);
    let real_time = (who(), prop::option::of(prop::collection::vec(any::<u8>(), 0..6)), any::<bool>());
    let rest = ("\\PC{0,8}", aspects());
    (sides, any::<[u8; 16]>(), source, any::<i64>(), prop::option::of(any::<i64>()), rest, real_time)
        .prop_filter_map(
            "no difference",
            |((before, after), id, source, observed, happened, (rule, fields), (who, old, is_fleeting))| {
                let mut change = diff(before.as_ref(), after.as_ref(), AspectSet::ALL)?;
                change.fields = fields;
                Some(ChangeEvent {
                    id: ChangeId(id),
                    change,
                    source,
                    observed: Timestamp(observed),
                    happened: happened.map(Timestamp),
                    rule,
                    snapshot_age_seconds: u64::try_from(observed).ok(),
                    who,
                    moved_from: old.map(|old| fim_core::EntityKey::File(EntityPath::unix(old))),
                    is_fleeting,
                })
            },
        )
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("\\PC{0,6}")
}

/// Any entity of a list that is identified by the number.
fn listed(number: u8) -> impl Strategy<Value = Listed> {
    let daemon = (
        text(),
        prop::option::of(prop::sample::select(vec![DaemonState::Running, DaemonState::Stopped])),
        prop::option::of(prop::sample::select(vec![
            StartupType::Auto,
            StartupType::Manual,
            StartupType::Disabled,
            StartupType::Boot,
            StartupType::System,
        ])),
        text(),
        text(),
        prop::option::of((0_u8..0x80).prop_map(RunLevels::from_bits)),
        prop::option::of(prop::sample::select(vec![Controller::Systemd, Controller::Init])),
    );
    let daemon =
        daemon.prop_map(move |(display_name, state, startup, path, account, run_levels, controller)| {
            let name = format!("daemon {number}");
            let of_list = if number.is_multiple_of(3) { Listed::Service } else { Listed::Daemon };
            of_list(Daemon { name, display_name, state, startup, path, account, run_levels, controller })
        });
    let managers = [
        PackageManager::Dpkg,
        PackageManager::Rpm,
        PackageManager::Apk,
        PackageManager::Snap,
        PackageManager::Flatpak,
        PackageManager::Windows,
    ];
    let types = vec![SoftwareType::Application, SoftwareType::Package, SoftwareType::Update];
    let software = (prop::sample::select(types), text(), text(), text());
    let software = software.prop_map(move |(software_type, version, publisher, description)| {
        Listed::Software(Software {
            manager: managers[usize::from(number) % managers.len()],
            name: format!("package {number}"),
            architecture: number.is_multiple_of(2).then(|| "amd64".to_owned()),
            software_type,
            version,
            publisher,
            description,
        })
    });
    prop_oneof![daemon.boxed(), software.boxed()]
}

fn listed_change() -> impl Strategy<Value = ChangeEvent<Listed>> {
    let sides = any::<u8>().prop_flat_map(|number| {
        (prop::option::of(listed(number)).boxed(), prop::option::of(listed(number)).boxed())
    });
    (sides, any::<[u8; 16]>(), any::<i64>()).prop_filter_map("no difference", |((before, after), id, at)| {
        if matches!((&before, &after), (Some(before), Some(after)) if before.list() != after.list()) {
            return None;
        }
        let change = diff(before.as_ref(), after.as_ref(), AspectSet::ALL)?;
        Some(ChangeEvent {
            id: ChangeId(id),
            change,
            source: ChangeSource::Scan,
            observed: Timestamp(at),
            happened: None,
            rule: String::new(),
            snapshot_age_seconds: u64::try_from(at).ok(),
            who: Who::default(),
            moved_from: None,
            is_fleeting: false,
        })
    })
}

fn report() -> impl Strategy<Value = Report> {
    // Boxed, since generators of large values take as much of the stack as all of their values together.
    let seen = prop_oneof![entity().prop_map(Seen::File).boxed(), listed(0).prop_map(Seen::Listed).boxed()];
    let inventory = (any::<i64>(), seen).prop_map(|(at, seen)| Inventory { observed: Timestamp(at), seen });
    prop_oneof![
        change().prop_map(Report::Change).boxed(),
        gap().prop_map(Report::Gap).boxed(),
        listed_change().prop_map(Report::Listed).boxed(),
        inventory.prop_map(Report::Inventory).boxed(),
    ]
}

fn batch() -> impl Strategy<Value = Batch> {
    (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<u64>(), any::<i64>(), prop::collection::vec(report(), 0..4))
        .prop_map(|(sensor, epoch, sequence, sent, events)| Batch {
            sensor,
            epoch,
            sequence,
            sent: Timestamp(sent),
            events,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_entity_comes_back_as_it_was(entity in entity()) {
        prop_assert_eq!(decode_entity(&encode_entity(&entity)), Ok(entity));
    }

    #[test]
    fn entities_one_behind_the_other_are_taken_off_one_by_one(
        entities in prop::collection::vec(entity(), 0..4),
        behind in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut bytes = Vec::new();
        entities.iter().for_each(|entity| append_entity(entity, &mut bytes));
        bytes.extend_from_slice(&behind);
        let mut rest = &bytes[..];
        for entity in entities {
            prop_assert_eq!(take_entity(&mut rest), Ok(entity));
        }
        prop_assert_eq!(rest, &behind[..]);
    }

    #[test]
    fn a_report_comes_back_as_it_was(report in report()) {
        prop_assert_eq!(decode_report(&encode_report(&report)), Ok(report));
    }

    #[test]
    fn a_batch_comes_back_as_it_was(batch in batch()) {
        prop_assert_eq!(decode_batch(&encode_batch(&batch), &Limits::default()), Ok(batch));
    }

    #[test]
    fn a_memory_comes_back_as_it_was(gaps in prop::collection::vec((gap(), any::<bool>(), any::<bool>()), 0..4)) {
        let open_gaps = gaps.into_iter().map(|(gap, is_unknown, is_merged)| OpenGap { gap, is_unknown, is_merged });
        let mut rules = recommended_linux();
        rules[3].exclude.push("*.log".to_owned());
        rules[4].recurse = true;
        let memory = Memory {
            baselined: RuleSet::new(rules, PathStyle::Unix).unwrap(),
            last_complete: Some(Timestamp(7)),
            open_gaps: open_gaps.collect(),
        };
        prop_assert_eq!(decode_memory(&encode_memory(&memory)), Ok(memory));
    }

    #[test]
    fn lists_come_back_as_they_were(
        entities in prop::option::of(prop::collection::vec(any::<u8>().prop_flat_map(listed), 0..4)),
        collected: Option<i64>,
        unreadable in prop::option::of(gap()),
        pending in prop::option::of(gap()),
    ) {
        let collected = collected.map(Timestamp);
        let part = PartMemory { part: ListPart::Rpm, entities, collected, unreadable: unreadable.clone() };
        let lists = vec![ListMemory { kind: ListKind::Software, parts: vec![part], unreadable, pending }];
        prop_assert_eq!(decode_lists(&encode_lists(&lists)), Ok(lists));
    }

    #[test]
    fn no_bytes_of_the_network_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_batch(&bytes, &Limits::default());
        let _ = decode_report(&bytes);
        let _ = decode_entity(&bytes);
        let _ = take_entity(&mut &bytes[..]);
        let _ = decode_memory(&bytes);
        let _ = decode_lists(&bytes);
    }

    #[test]
    fn no_damage_to_a_batch_does_harm(batch in batch(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let mut bytes = encode_batch(&batch);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode_batch(&bytes, &Limits::default());
        let cut = cut.index(bytes.len());
        prop_assert!(decode_batch(&bytes[..cut], &Limits::default()).is_err());
    }
}

/// The bytes that the first version wrote. They are never to be made anew: whatever changes, they are read the same.
const GOLDEN: &str = include_str!("golden/batch-1.hex");

fn golden_batch() -> Batch {
    let key = fim_core::EntityKey::File(EntityPath::unix("/etc/a.conf"));
    let before = fim_core::Entity {
        key,
        kind: fim_core::EntityKind::File,
        attributes: fim_core::FileAttributes {
            size_bytes: Some(5),
            mode: Some(0o644),
            owner: Some(Principal { id: 0.into(), name: Some("root".to_owned()) }),
            group: Some(Principal { id: 7.into(), name: None }),
            modified: Some(Timestamp(1_700_000_000_123_456_789)),
            changed: Some(Timestamp(-1)),
            created: None,
            inode: Some(12),
            device: Some(2049),
            links: Some(1),
            acl: Some(fim_core::Acl("user::rw-".to_owned())),
            xattrs: Some(vec![fim_core::Xattr { name: b"user.x".to_vec(), value: vec![0, 255] }]),
            target: None,
            ..fim_core::FileAttributes::default()
        },
        digest: Some(fim_core::Digest([0xab; 32])),
    };
    let mut after = before.clone();
    after.kind = fim_core::EntityKind::Symlink;
    after.attributes.target = Some(b"../b".to_vec());
    after.attributes.size_bytes = Some(4);
    let change = diff(Some(&before), Some(&after), AspectSet::WATCHED_BY_DEFAULT).unwrap();
    let id = ChangeId(0x4b38_126e_7065_e302_3ce0_ceeb_8cd0_b0cb_u128.to_be_bytes());
    let gap = |scope| Gap {
        scope,
        start: Timestamp(10),
        end: Some(Timestamp(20)),
        cause: GapCause::Unreadable,
        detail: "permission denied".to_owned(),
    };
    Batch {
        sensor: [1; 16],
        epoch: [2; 16],
        sequence: 3,
        sent: Timestamp(1_700_000_001_000_000_000),
        events: vec![
            Report::Change(ChangeEvent {
                id,
                change,
                source: ChangeSource::Scan,
                observed: Timestamp(1_700_000_000_999_999_999),
                happened: None,
                rule: "/etc/*.conf".to_owned(),
                snapshot_age_seconds: Some(900),
                who: Who::default(),
                moved_from: None,
                is_fleeting: false,
            }),
            Report::Gap(gap(GapScope::Everything)),
            Report::Gap(gap(GapScope::Within(EntityPath::unix("/boot")))),
        ],
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .chunks(48)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
        .collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn the_first_versions_bytes_are_read_for_ever() {
    assert_eq!(decode_batch(&unhex(GOLDEN), &Limits::default()), Ok(golden_batch()));
}

#[test]
fn the_bytes_of_this_version_are_those_of_the_first() {
    assert_eq!(hex(&encode_batch(&golden_batch())), GOLDEN);
}

#[test]
fn a_newer_writers_keys_are_skipped() {
    // A gap with a key 99 that holds a map of lists.
    let bytes = unhex("a1 01 a5 01 0a 03 02 04 61 78 18 63 a1 01 82 01 02 02 14");
    let Ok(Report::Gap(gap)) = decode_report(&bytes) else { panic!("{:?}", decode_report(&bytes)) };
    assert_eq!((gap.start, gap.end, gap.detail.as_str()), (Timestamp(10), Some(Timestamp(20)), "x"));
}

#[test]
fn what_is_missing_is_named() {
    // A gap without its start.
    let error = decode_report(&unhex("a1 01 a2 03 02 04 61 78")).unwrap_err();
    assert!(error.to_string().contains("start"), "{error}");
    let error = decode_batch(&unhex("a1 00 01"), &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("sensor"), "{error}");
}

#[test]
fn a_newer_version_is_refused_whatever_else_it_says() {
    let error = decode_batch(&unhex("a2 00 02 05 63 61 62 63"), &Limits::default()).unwrap_err();
    assert_eq!(error, WireError::NewerVersion { version: 2, supported: 1 });
    assert_eq!(
        error.to_string(),
        "the batch has version 2, and this server reads up to 1: upgrade the server"
    );
}

#[test]
fn limits_are_kept_before_memory_is_given() {
    let bytes = encode_batch(&golden_batch());
    let size = bytes.len();
    assert_eq!(
        decode_batch(&bytes, &Limits { batch_bytes: 10, reports: 10 }),
        Err(WireError::TooLarge { what: "batch", size, limit: 10 })
    );
    assert_eq!(
        decode_batch(&bytes, &Limits { batch_bytes: size, reports: 2 }),
        Err(WireError::TooMany { what: "batch", parts: "reports", limit: 2 })
    );
    // A list that claims to be longer than memory.
    let claim = unhex("a6 00 01 01 40 02 40 03 00 04 00 05 9b ff ff ff ff ff ff ff ff");
    assert!(decode_batch(&claim, &Limits::default()).is_err());
}

#[test]
fn more_extended_attributes_than_a_file_can_have_are_refused() {
    let mut entity = match golden_batch().events.swap_remove(0) {
        Report::Change(event) => event.change.before.unwrap(),
        other => panic!("{other:?}"),
    };
    let xattr = fim_core::Xattr { name: Vec::new(), value: Vec::new() };
    entity.attributes.xattrs = Some(vec![xattr; 16_385]);
    let error = decode_entity(&encode_entity(&entity)).unwrap_err();
    assert_eq!(error, WireError::TooMany { what: "entity", parts: "extended attributes", limit: 16_384 });
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (bytes, expected) in [
        ("a0", "of no kind that is known here"),
        ("a1 01 a4 01 0a 02 09 03 02 04 60", "ends before it starts"),
        ("a1 01 a3 01 0a 03 18 7b 04 60", "cause 123"),
    ] {
        let error = decode_report(&unhex(bytes)).unwrap_err();
        assert!(error.to_string().contains(expected), "{bytes}: {error}");
    }
}

#[test]
fn a_list_that_an_earlier_version_stored_whole_comes_back_in_its_parts() {
    // A list of the kind 1 with two packages, one of dpkg and one of rpm, collected at 7.
    let bytes =
        unhex("a1 00 81 a3 00 01 01 82 a1 01 a3 00 00 01 61 61 03 01 a1 01 a3 00 01 01 61 62 03 01 02 07");
    let lists = decode_lists(&bytes).unwrap();
    assert_eq!(lists.len(), 1);
    let parts = lists[0].parts.iter().map(|part| {
        let names = part.entities.iter().flatten().map(|entity| fim_core::Monitored::key(entity).to_string());
        (part.part.name(), names.collect::<Vec<_>>().join(" "), part.collected)
    });
    let collected = Some(Timestamp(7));
    assert_eq!(
        parts.collect::<Vec<_>>(),
        [("dpkg", "a"), ("rpm", "b"), ("apk", ""), ("snap", ""), ("flatpak", ""), ("programs", "")]
            .map(|(part, names)| (part, names.to_owned(), collected))
    );
}
