//! Who made a change.

use std::sync::Arc;

use fim_core::{Actor, Ancestor, EntityKey, Who, WhoUnknown};
use minicbor::decode::{Decoder, Error};
use minicbor::{Decode, Encode};

use crate::WireError;
use crate::entity::{KeyRecord, PrincipalRecord};

#[derive(Decode, Encode)]
#[cbor(map)]
pub(crate) struct WhoRecord<'b> {
    #[cbor(b(0), decode_with = "decode_actors")]
    actors: Vec<ActorRecord<'b>>,
    #[n(1)]
    more: Option<u32>,
    #[n(2)]
    unknown: Option<u8>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct ActorRecord<'b> {
    #[n(0)]
    process_id: u32,
    #[n(1)]
    started_nanos: Option<u64>,
    #[b(2)]
    executable: Option<KeyRecord<'b>>,
    #[b(3)]
    command_line: Option<&'b str>,
    #[b(4)]
    user: Option<PrincipalRecord<'b>>,
    #[b(5)]
    login_user: Option<PrincipalRecord<'b>>,
    #[n(6)]
    session: Option<u32>,
    #[cbor(b(7), decode_with = "decode_parents", default)]
    parents: Vec<AncestorRecord<'b>>,
    #[b(8)]
    container: Option<&'b str>,
    #[n(9)]
    has_own_view: Option<bool>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct AncestorRecord<'b> {
    #[n(0)]
    process_id: u32,
    #[b(1)]
    name: &'b str,
}

impl<'b> From<&'b Who> for WhoRecord<'b> {
    fn from(who: &'b Who) -> Self {
        Self {
            actors: who.actors.iter().map(|actor| (&**actor).into()).collect(),
            more: (who.more > 0).then_some(who.more),
            unknown: who.unknown.map(unknown_number),
        }
    }
}

impl TryFrom<WhoRecord<'_>> for Who {
    type Error = WireError;

    fn try_from(record: WhoRecord<'_>) -> Result<Self, WireError> {
        let actors = record.actors.into_iter().map(|actor| Actor::try_from(actor).map(Arc::new));
        let actors = actors.collect::<Result<_, _>>()?;
        Ok(Self::of(actors, record.more.unwrap_or(0), record.unknown.map(unknown_of)))
    }
}

impl<'b> From<&'b Actor> for ActorRecord<'b> {
    fn from(actor: &'b Actor) -> Self {
        let parents = actor
            .parents
            .iter()
            .map(|parent| AncestorRecord { process_id: parent.process_id, name: &parent.name });
        Self {
            process_id: actor.process_id,
            started_nanos: actor.started_nanos,
            executable: actor.executable.as_ref().map(Into::into),
            command_line: actor.command_line.as_deref(),
            user: actor.user.as_ref().map(Into::into),
            login_user: actor.login_user.as_ref().map(Into::into),
            session: actor.session,
            parents: parents.collect(),
            container: actor.container.as_deref(),
            has_own_view: actor.has_own_view.then_some(true),
        }
    }
}

impl TryFrom<ActorRecord<'_>> for Actor {
    type Error = WireError;

    fn try_from(record: ActorRecord<'_>) -> Result<Self, WireError> {
        let executable = record.executable.map(EntityKey::try_from).transpose()?;
        let ancestor = |parent: AncestorRecord<'_>| Ancestor {
            process_id: parent.process_id,
            name: parent.name.to_owned(),
        };
        Ok(Self {
            process_id: record.process_id,
            started_nanos: record.started_nanos,
            executable: executable.map(|EntityKey::File(path)| path),
            command_line: record.command_line.map(str::to_owned),
            user: record.user.map(TryInto::try_into).transpose()?,
            login_user: record.login_user.map(TryInto::try_into).transpose()?,
            session: record.session,
            parents: record.parents.into_iter().map(ancestor).collect(),
            container: record.container.map(str::to_owned),
            has_own_view: record.has_own_view.unwrap_or(false),
        })
    }
}

fn unknown_number(unknown: WhoUnknown) -> u8 {
    match unknown {
        WhoUnknown::NotTold => 0,
        WhoUnknown::Ended => 1,
        WhoUnknown::NoticeLost => 2,
        WhoUnknown::NotNoticed => 3,
        WhoUnknown::NumberReused => 4,
        WhoUnknown::RecordsLost => 5,
        WhoUnknown::NoHandle => 6,
        WhoUnknown::FileNumberReused => 7,
        WhoUnknown::NotListening => 8,
    }
}

/// A reason that only a newer writer knows is as good as none: it was not told to us.
fn unknown_of(number: u8) -> WhoUnknown {
    match number {
        1 => WhoUnknown::Ended,
        2 => WhoUnknown::NoticeLost,
        3 => WhoUnknown::NotNoticed,
        4 => WhoUnknown::NumberReused,
        5 => WhoUnknown::RecordsLost,
        6 => WhoUnknown::NoHandle,
        7 => WhoUnknown::FileNumberReused,
        8 => WhoUnknown::NotListening,
        _ => WhoUnknown::NotTold,
    }
}

fn decode_actors<'b, Ctx>(decoder: &mut Decoder<'b>, _: &mut Ctx) -> Result<Vec<ActorRecord<'b>>, Error> {
    at_most(Who::MAX_ACTORS, "more actors than are kept", decoder)
}

fn decode_parents<'b, Ctx>(decoder: &mut Decoder<'b>, _: &mut Ctx) -> Result<Vec<AncestorRecord<'b>>, Error> {
    at_most(Actor::MAX_PARENTS, "more parents than are kept", decoder)
}

/// Stops at the first one too many, before there is memory for more.
fn at_most<'b, T: Decode<'b, ()>>(
    limit: usize,
    problem: &'static str,
    decoder: &mut Decoder<'b>,
) -> Result<Vec<T>, Error> {
    let mut items = Vec::new();
    for item in decoder.array_iter()? {
        if items.len() == limit {
            return Err(Error::message(problem));
        }
        items.push(item?);
    }
    Ok(items)
}
