//! The files by which a locked payout is paid. The same payout gives the same bytes, whatever became of its lines or
//! the settings since: names, accounts, amounts and settings are those it was locked with.

use std::sync::Arc;

use serde_json::json;

use super::files::{Format, Head, Part, Shown};
use super::frozen;
use super::lock::hindrance;
use super::making::{self, Pieces};
use super::refused::{NoFile, Refused};
use super::source::Source;
use super::store::{self, LineRow, PayoutRow};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbError, DbResult, Key, Tx};
use crate::engine::state::PayoutState;

/// One of a payout's files.
pub struct Made {
    pub name: String,
    pub content_type: &'static str,
    /// The files that the payout needs in this format.
    pub parts: usize,
    pub pieces: Pieces,
}

/// A file as it would be made, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub name: String,
    pub lines: usize,
    /// Minor units.
    pub amount: i64,
}

/// The files of a payout, and its first lines as they will be sent.
pub struct Plan {
    pub files: Vec<Planned>,
    /// A line, and the row that is sent, or why it cannot be.
    pub sample: Vec<(LineRow, Result<Shown, String>)>,
}

/// Lines of a sample.
const SAMPLE: usize = 50;
/// The times that a payout or its settings may change while a file is begun.
const TRIES: usize = 3;

/// Makes a file of a payout that may be paid: every line of it is tried first. The look at whole accounts is an entry
/// of the audit before the first byte.
pub async fn file(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    format: Format,
    part: usize,
) -> DbResult<Result<Made, NoFile>> {
    for _ in 0..TRIES {
        let mut conn = core.db.read().await?;
        let Some(payout) = store::find(&mut conn, business_id, id).await? else {
            return Ok(Err(Refused::NotFound.into()));
        };
        let asked = store::approval(&mut conn, business_id).await?;
        if payout.state != PayoutState::Closed
            && let Some(why) = hindrance(&payout, asked)
        {
            return Ok(Err(why.into()));
        }
        let source = match Source::load(&mut conn, &core.keyring, payout, format).await? {
            Ok(source) => source,
            Err(why) => return Ok(Err(why)),
        };
        drop(conn);
        let files = match source.files(core).await? {
            Ok(files) => files,
            Err(why) => return Ok(Err(why)),
        };
        let parts = files.len();
        let Some((lines, head)) = part.checked_sub(1).and_then(|n| files.into_iter().nth(n)) else {
            return Ok(Err(NoFile::Part));
        };
        if let Err(why) = source.attempt(core, &lines).await? {
            return Ok(Err(why));
        }
        let note = Note { payout: source.payout.clone(), settings_id: source.settings_id, format, part };
        let pieces = match making::begin(core.clone(), source, lines, &head) {
            Ok(pieces) => pieces,
            Err(why) => return Ok(Err(NoFile::Line(why.to_string()))),
        };
        if core.write(vec![Key::Payouts(business_id)], actor, note, noted).await? {
            let (name, content_type) = (head.file_name(format), format.content_type());
            return Ok(Ok(Made { name, content_type, parts, pieces }));
        }
    }
    Err(DbError::Lost("the payout was locked, or its file set up, again and again".into()))
}

/// The files that a payout has in a format, and its first lines as they will be sent. Also of a draft.
pub async fn plan(core: &Core, business_id: i64, id: i64, format: Format) -> DbResult<Result<Plan, NoFile>> {
    let mut conn = core.db.read().await?;
    let Some(payout) = store::find(&mut conn, business_id, id).await? else {
        return Ok(Err(Refused::NotFound.into()));
    };
    let source = match Source::load(&mut conn, &core.keyring, payout, format).await? {
        Ok(source) => source,
        Err(why) => return Ok(Err(why)),
    };
    drop(conn);
    let files = match source.opened_files(core).await? {
        Ok(files) => files,
        Err(why) => return Ok(Err(why)),
    };
    let mut sample = Vec::new();
    for (part, _) in &files {
        if sample.len() < SAMPLE {
            sample.extend(source.sample(core, part, SAMPLE - sample.len()).await?);
        }
    }
    let planned =
        |(part, head): (Part, Head)| Planned { name: head.file_name(format), lines: part.rows, amount: part.total };
    Ok(Ok(Plan { files: files.into_iter().map(planned).collect(), sample }))
}

/// A file that is begun, for the audit.
struct Note {
    payout: PayoutRow,
    settings_id: Option<i64>,
    format: Format,
    part: usize,
}

/// Writes it down; false when by now the payout's file is made from something else.
async fn noted(tx: &mut Tx, Note { payout, settings_id, format, part }: &Note) -> DbResult<bool> {
    let now = store::find(tx, payout.business_id, payout.id).await?;
    let same_lock = now.is_some_and(|now| now.locked_at == payout.locked_at);
    if !same_lock || frozen::keep(tx, payout, *format).await? != *settings_id {
        return Ok(false);
    }
    if payout.file_at.is_none() && payout.state != PayoutState::Closed {
        store::set_file(tx, payout.id).await?;
    }
    let entry = NewEntry::by(tx, payout.business_id, "payout.file_made", ("payout", payout.id))?
        .after(json!({ "number": payout.number, "format": format, "part": part, "lines": payout.lines }));
    audit::write(tx, &[entry]).await?;
    Ok(true)
}
