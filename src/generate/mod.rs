//! Deterministic load data, quickly: the same numbers give the same rows, consistent enough for
//! `refdesk check`, made by the database itself from a counted series.

mod store;

use crate::app::App;
use crate::code;
use crate::db::{Conn, DbError, DbResult};
use rand::SeedableRng;

/// How much to make, in which campaign.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub business_id: i64,
    pub campaign_id: i64,
    pub product_id: i64,
    pub leads: i64,
    pub referrers: i64,
}

/// Rows of one statement: long enough to be quick, short enough to show progress.
const CHUNK: i64 = 50_000;

/// A lead comes every so many seconds.
pub const SECONDS_APART: i64 = 30;

/// Where each kind of row begins in the run of ids.
#[derive(Debug, Clone, Copy)]
struct Bases {
    referrer: i64,
    enrollment: i64,
    code: i64,
    lead: i64,
    touch: i64,
    payment: i64,
    commission: i64,
    entry: i64,
}

/// Whether a business has what [`generate`] makes.
pub async fn is_made(conn: &mut Conn, business_id: i64) -> DbResult<bool> {
    store::is_made(conn, business_id).await
}

/// Makes the rows and says how many leads so far after each chunk.
pub async fn generate(app: &App, load: Load, mut said: impl FnMut(i64)) -> DbResult<()> {
    if load.leads < 0 || load.referrers < 1 {
        return Err(DbError::Fault("at least one referrer is needed".into()));
    }
    let total = load.referrers * 3 + load.leads * 5;
    let ids = app.ids.run(usize::try_from(total).unwrap_or(usize::MAX)).await?;
    let at = |offset: i64| ids.start + offset;
    let (r, l) = (load.referrers, load.leads);
    let bases = Bases {
        referrer: at(0),
        enrollment: at(r),
        code: at(2 * r),
        lead: at(3 * r),
        touch: at(3 * r + l),
        payment: at(3 * r + 2 * l),
        commission: at(3 * r + 3 * l),
        entry: at(3 * r + 4 * l),
    };
    let now = app.clock.now();
    // Ids and times grow together, as they do in a business: a row goes to the end of the indexes by time.
    let (first_referrer, first_lead) = (now.plus_seconds(-r), now.plus_seconds(-SECONDS_APART * l));
    let indexes = store::drop_indexes(&app.db).await?;
    let mut rng = rand::rngs::StdRng::seed_from_u64(u64::try_from(bases.referrer).unwrap_or_default());
    let mut from = 0;
    while from < r {
        let to = (from + CHUNK).min(r);
        let codes = (from..to).map(|_| code::generate(&mut rng)).collect();
        store::referrers(&app.db, load, bases, from, to, codes, first_referrer).await?;
        from = to;
    }
    let mut from = 0;
    while from < l {
        let to = (from + CHUNK).min(l);
        store::leads(&app.db, load, bases, from, to, now, first_lead).await?;
        said(to);
        from = to;
    }
    store::count(&app.db, load, bases, first_lead).await?;
    store::restore_indexes(&app.db, indexes).await
}
