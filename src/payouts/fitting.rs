//! Lines that the payout's file cannot hold are left out of the draft, each with its reason, before anything is locked.

use std::collections::HashMap;

use super::files::{Format, Payers, Row, fit};
use super::frozen;
use super::line::{Built, OutReason};
use super::store::{self, PayoutRow};
use crate::db::{Conn, DbResult};
use crate::keyring::Keyring;
use crate::money::Money;
use crate::payout_details::{self, Details};

/// Leaves out whoever cannot be in the file that the payout is made for.
pub async fn leave_out_unfit(
    conn: &mut Conn,
    keyring: &Keyring,
    payout: &PayoutRow,
    lines: &mut [Built],
) -> DbResult<()> {
    if matches!(payout.format, Format::Csv | Format::Xlsx) {
        return Ok(());
    }
    let mut inside: Vec<&mut Built> = lines.iter_mut().filter(|line| line.out.is_none()).collect();
    if inside.is_empty() {
        return Ok(());
    }
    let Some(version) = frozen::version(conn, payout, payout.format).await? else { return Ok(()) };
    let payers = match version.open(keyring) {
        Ok(payer) => Payers::of(payer),
        Err(why) => {
            for line in inside {
                leave_out(line, why.clone());
            }
            return Ok(());
        }
    };
    let ids: Vec<i64> = inside.iter().filter_map(|line| line.details.as_ref().map(|d| d.id)).collect();
    let opened = payout_details::open(conn, keyring, payout.business_id, &ids).await?;
    let opened: HashMap<i64, Result<Details, String>> = opened.into_iter().map(|o| (o.id, o.details)).collect();
    let referrers: Vec<i64> = inside.iter().map(|line| line.referrer_id).collect();
    let names = store::names(conn, &referrers).await?;
    let names: HashMap<i64, store::Named> = names.into_iter().map(|named| (named.id, named)).collect();
    for line in &mut inside {
        let (Some(details), Some(named)) = (&line.details, names.get(&line.referrer_id)) else { continue };
        let reason = match opened.get(&details.id) {
            Some(Ok(details)) => {
                let row = Row {
                    line: "line_0000000000000",
                    name: &named.name,
                    email: named.email.as_deref(),
                    details,
                    amount: Money { minor: line.amount, currency: payout.currency },
                    note: "",
                };
                payers.to(details).and_then(|payer| fit(payer, &row).err()).map(|problem| problem.reason)
            }
            Some(Err(why)) => Some(why.clone()),
            None => Some("The payout details were erased.".to_owned()),
        };
        if let Some(reason) = reason {
            leave_out(line, reason);
        }
    }
    Ok(())
}

fn leave_out(line: &mut Built, reason: String) {
    line.out = Some(OutReason::Unfit);
    line.reason = Some(reason);
}
