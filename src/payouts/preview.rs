//! A draft that is not made: whether anybody would be in it, and who would be left out and why.

use std::collections::HashMap;

use super::draft::{CHUNK, candidates_of, of_referrers};
use super::formats;
use super::line::{Built, OutReason};
use super::refused::Refused;
use super::store::{self, PayoutRow};
use super::wish::NewPayout;
use crate::core::Core;
use crate::db::{Conn, DbResult};
use crate::engine::payout as engine;
use crate::engine::state::PayoutState;
use crate::money::Money;

/// The referrers that are looked at.
const LOOKED_AT: usize = 25 * CHUNK;
/// The number of people left out that are told.
pub const TOLD: usize = 100;

/// The doing of a draft.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// The referrers who would be in it, of those looked at.
    pub inside: usize,
    /// The first people who would be left out. Whoever is paid in another way comes last.
    pub left_out: Vec<OutLine>,
    /// All were looked at.
    pub is_whole: bool,
}

impl Preview {
    /// True where every referrer was looked at, and a draft would have none of them.
    pub fn is_of_nobody(&self) -> bool {
        self.inside == 0 && self.is_whole
    }
}

/// A referrer who would be left out.
#[derive(Debug, Clone)]
pub struct OutLine {
    pub referrer_id: i64,
    pub referrer: String,
    pub email: Option<String>,
    pub amount: Money,
    pub reason: OutReason,
    /// The reason as a sentence.
    pub sentence: String,
}

/// The outcome that a draft would have; it ends with the first referrer who is in, if `until_inside`.
pub async fn preview(core: &Core, new: NewPayout, until_inside: bool) -> DbResult<Result<Preview, Refused>> {
    let conn = &mut core.db.read().await?;
    let format = match formats::wanted(conn, &new).await? {
        Ok(format) => format,
        Err(refused) => return Ok(Err(refused)),
    };
    let payout = PayoutRow::unmade(&new, format);
    let (mut found, mut other_ways) = (Preview::default(), Vec::new());
    let (mut after, mut looked_at) = (0, 0);
    loop {
        let referrers = engine::next_referrers(conn, &payout.selection(), after, CHUNK).await?;
        let theirs = candidates_of(conn, &payout, &referrers).await?;
        let lines = of_referrers(conn, &core.keyring, &payout, &referrers, &theirs).await?;
        let (inside, out): (Vec<Built>, Vec<Built>) = lines.into_iter().partition(|line| line.out.is_none());
        found.inside += inside.len();
        let (others, out): (Vec<Built>, Vec<Built>) =
            out.into_iter().partition(|line| line.out == Some(OutReason::OtherMethod));
        tell(conn, &payout, out, &mut found.left_out).await?;
        tell(conn, &payout, others, &mut other_ways).await?;
        looked_at += referrers.len();
        let is_end = referrers.len() < CHUNK;
        if is_end || (until_inside && found.inside > 0) || looked_at >= LOOKED_AT {
            found.is_whole = is_end;
            break;
        }
        after = referrers.last().copied().unwrap_or(after);
    }
    found.left_out.append(&mut other_ways);
    found.left_out.truncate(TOLD);
    Ok(Ok(found))
}

/// Adds lines by name, as long as there are few.
async fn tell(conn: &mut Conn, payout: &PayoutRow, out: Vec<Built>, told: &mut Vec<OutLine>) -> DbResult<()> {
    if told.len() > TOLD || out.is_empty() {
        return Ok(());
    }
    let referrers: Vec<i64> = out.iter().map(|line| line.referrer_id).collect();
    let names = store::names(conn, &referrers).await?;
    let mut names: HashMap<i64, store::Named> = names.into_iter().map(|named| (named.id, named)).collect();
    let lines = out.into_iter().filter_map(|line| {
        let (reason, named) = (line.out?, names.remove(&line.referrer_id)?);
        let money = |minor| Money { minor, currency: payout.currency };
        Some(OutLine {
            referrer_id: line.referrer_id,
            referrer: named.name,
            email: named.email,
            amount: money(line.amount),
            sentence: match (reason, line.details.as_ref().map(|details| details.method)) {
                (OutReason::OtherMethod, Some(method)) => format!("They are paid {}.", method.within()),
                _ => reason.sentence(line.minimum.map(money), line.reason.as_deref()),
            },
            reason,
        })
    });
    told.extend(lines);
    Ok(())
}

impl PayoutRow {
    /// A payout as it would be made, without a number.
    fn unmade(new: &NewPayout, format: super::files::Format) -> Self {
        Self {
            id: 0,
            business_id: new.business_id,
            campaign_id: new.campaign_id,
            campaign: None,
            number: 0,
            currency: new.currency,
            method: new.method,
            format,
            state: PayoutState::Building,
            note: None,
            lines: 0,
            amount: 0,
            fingerprint: String::new(),
            made_by: String::new(),
            locked_by: None,
            locked_by_id: None,
            payer: None,
            timezone: None,
            approved_by: None,
            created_at: 0,
            updated_at: 0,
            locked_at: None,
            approved_at: None,
            file_at: None,
            closed_at: None,
        }
    }
}
