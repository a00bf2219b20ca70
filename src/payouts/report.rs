//! Reports between their upload and the decision about them. They hold accounts, so they are stored encrypted, and
//! gone once they are applied, or after a day.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::answer::Answer;
use super::results::Reading;
use super::store;
use crate::actor::Actor;
use crate::core::Core;
use crate::db::{Conn, DbError, DbResult, Key, Tx};
use crate::keyring::Keyring;

/// The largest report that pages take, in bytes.
pub const LARGEST: u64 = 50 << 20;

fn about(business_id: i64, payout_id: i64) -> String {
    format!("payout_reports/{business_id}/{payout_id}")
}

struct NewReport {
    business_id: i64,
    payout_id: i64,
    file_name: String,
    sealed: String,
}

/// Stores a report and answers its id, or a sentence that says why it cannot be stored.
pub async fn keep(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    payout_id: i64,
    answer: &Answer,
) -> DbResult<Result<i64, String>> {
    let key = match core.keyring.first() {
        Ok(key) => key,
        Err(lack) => return Ok(Err(format!("A report is stored encrypted, and {lack}."))),
    };
    let text = STANDARD_NO_PAD.encode(answer.bytes.as_slice());
    let Some(sealed) = key.seal(&about(business_id, payout_id), &text) else {
        return Ok(Err("The report is too large.".into()));
    };
    let new = NewReport { business_id, payout_id, file_name: answer.file_name.clone(), sealed };
    core.write(vec![Key::Payouts(business_id)], actor, new, keep_in).await.map(Ok)
}

async fn keep_in(tx: &mut Tx, new: &NewReport) -> DbResult<i64> {
    let (id, before) = (tx.id()?, tx.now().plus_days(-1));
    store::drop_old_reports(tx, new.business_id, new.payout_id, before).await?;
    store::insert_report(tx, id, new.business_id, new.payout_id, &new.file_name, &new.sealed).await?;
    Ok(id)
}

/// A stored report; `None` once it was applied, and a sentence where it cannot be read.
pub async fn kept(
    conn: &mut Conn,
    keyring: &Keyring,
    business_id: i64,
    payout_id: i64,
    id: i64,
) -> DbResult<Option<Result<Answer, String>>> {
    let Some(row) = store::report(conn, business_id, payout_id, id).await? else { return Ok(None) };
    let reading: Option<Reading> = match row.reading.as_deref().map(serde_json::from_str).transpose() {
        Ok(reading) => reading,
        Err(error) => return Err(DbError::Fault(error.to_string())),
    };
    let opened = keyring
        .keys()
        .and_then(|keys| {
            Keyring::open(&keys, &about(business_id, payout_id), &row.sealed).map_err(|why| why.to_string())
        })
        .and_then(|text| STANDARD_NO_PAD.decode(text).map_err(|error| error.to_string()));
    Ok(Some(match opened {
        Ok(bytes) => Ok(Answer { file_name: row.file_name, bytes: Arc::new(bytes), reading }),
        Err(why) => Err(format!("The report cannot be read: {why}. Upload it again.")),
    }))
}

/// Stores the meaning of a report's columns.
pub async fn choose(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    payout_id: i64,
    id: i64,
    reading: &Reading,
) -> DbResult<()> {
    let text = serde_json::to_string(reading).map_err(|error| DbError::Fault(error.to_string()))?;
    core.write(vec![Key::Payouts(business_id)], actor, (business_id, payout_id, id, text), choose_in).await
}

async fn choose_in(tx: &mut Tx, (business_id, payout_id, id, text): &(i64, i64, i64, String)) -> DbResult<()> {
    store::set_report_reading(tx, *business_id, *payout_id, *id, text).await
}

/// Throws a report away.
pub async fn forget(core: &Core, actor: &Arc<Actor>, business_id: i64, payout_id: i64, id: i64) -> DbResult<()> {
    core.write(vec![Key::Payouts(business_id)], actor, (business_id, payout_id, id), forget_in).await
}

async fn forget_in(tx: &mut Tx, &(business_id, payout_id, id): &(i64, i64, i64)) -> DbResult<()> {
    store::drop_report(tx, business_id, payout_id, id).await
}
