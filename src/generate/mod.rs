//! Deterministic load data, quickly: the same numbers give the same rows, consistent enough for
//! `refdesk check`, made by the database itself from a counted series.

mod load;
mod store;

use load::{Bases, Paid};

use crate::clock::Zone;
use crate::code;
use crate::core::Core;
use crate::db::{Conn, DbError, DbResult};

use rand::SeedableRng;

pub use load::{Load, SECONDS_APART};

/// Rows of one statement: long enough to be quick, short enough to show progress.
const CHUNK: i64 = 50_000;

/// True when a business has the rows that [`generate`] makes.
pub async fn is_made(conn: &mut Conn, business_id: i64) -> DbResult<bool> {
    store::is_made(conn, business_id).await
}

/// Makes the rows and says how many leads so far after each chunk.
pub async fn generate(core: &Core, load: Load, mut said: impl FnMut(i64)) -> DbResult<()> {
    if load.leads < 0 || load.referrers < 1 {
        return Err(DbError::Fault("at least one referrer is needed".into()));
    }
    let total = load.referrers * 3 + load.leads * 5;
    let ids = core.ids.run(usize::try_from(total).unwrap_or(usize::MAX)).await?;
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
    let now = core.clock.now();
    // Ids and times grow together, as they do in a business: a row goes to the end of the indexes by time.
    let (first_referrer, first_lead) = (now.plus_seconds(-r), now.plus_seconds(-SECONDS_APART * l));
    let business = crate::business::by_id(&mut core.db.read().await?, load.business_id).await?;
    let zone = business.and_then(|b| Zone::parse(&b.timezone).ok()).unwrap_or_default();
    let paid = paid(core, load.product_id).await?;
    let indexes = store::drop_indexes(&core.db).await?;
    let mut rng = rand::rngs::StdRng::seed_from_u64(u64::try_from(bases.referrer).unwrap_or_default());
    let mut from = 0;
    while from < r {
        let to = (from + CHUNK).min(r);
        let codes = (from..to).map(|_| code::generate(&mut rng)).collect();
        let part = store::Part { load, paid, bases, from, to, first: first_referrer };
        core.db.write(vec![], (part, codes), store::referrers).await?;
        from = to;
    }
    let mut from = 0;
    while from < l {
        let to = (from + CHUNK).min(l);
        let part = store::Part { load, paid, bases, from, to, first: first_lead };
        core.db.write(vec![], part, store::leads).await?;
        said(to);
        from = to;
    }
    core.db.write(vec![], (load, bases, first_lead, zone), store::count).await?;
    store::restore_indexes(&core.db, indexes).await?;
    while crate::figures::run(core).await? {}
    Ok(())
}

/// The terms of the product, and a day on which the hold is not half over, so that the sweep leaves the
/// commissions as they are for a while.
async fn paid(core: &Core, product_id: i64) -> DbResult<Paid> {
    let today = Zone::default().day_of(core.clock.now());
    let terms = store::terms(&mut core.db.read().await?, product_id, today.plus_days(-30)).await?;
    let Some((terms_id, terms_number, Some(rate), hold_days)) = terms else {
        return Err(DbError::Fault("the product of load data needs terms with a rate in percent".into()));
    };
    Ok(Paid { terms_id, terms_number, rate, hold_days, day: today.plus_days(-30.min(hold_days / 2)) })
}
