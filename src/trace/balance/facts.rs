//! The facts behind a balance, and the place where they lose their names.

use crate::db::{Conn, DbResult};
use crate::engine::state::Account;
use crate::money::{Currency, Money};
use crate::payouts::{self, Standing};
use crate::referrers::rows as people;
use crate::trace::store::balance::{self as store, HeldRow, NewestRow, OnItsWayRow, SumRow};

/// Newest entries that are told one by one.
const NEWEST: usize = 50;

pub struct OfBalance {
    pub currency: Currency,
    pub referrer: String,
    pub sums: Vec<SumRow>,
    pub newest: Vec<NewestRow>,
    pub held: Option<HeldRow>,
    /// The doing of a payout with everything that is approved now.
    pub standing: Option<Standing>,
    pub on_their_way: Vec<OnItsWayRow>,
}

impl OfBalance {
    /// None for a referrer of another business, and in a currency without an entry.
    pub async fn read(
        conn: &mut Conn,
        business_id: i64,
        referrer_id: i64,
        currency: Currency,
    ) -> DbResult<Option<Self>> {
        let Some(referrer) = people::by_id(conn, business_id, referrer_id).await? else { return Ok(None) };
        let sums = store::sums(conn, referrer_id, currency).await?;
        if sums.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            currency,
            newest: store::newest(conn, referrer_id, currency, NEWEST).await?,
            held: store::held(conn, referrer_id, currency).await?,
            standing: payouts::standing(conn, business_id, referrer_id, currency).await?,
            on_their_way: store::on_their_way(conn, referrer_id, currency).await?,
            referrer: referrer.name,
            sums,
        }))
    }

    pub fn hide(&mut self) {
        self.referrer.clear();
        for entry in &mut self.newest {
            (entry.lead, entry.reason) = (None, None);
        }
    }

    pub fn of(&self, account: Account) -> i64 {
        self.sums.iter().filter(|sum| sum.account == account).map(|sum| sum.amount).sum()
    }

    pub fn owed(&self) -> i64 {
        self.of(Account::Held) + self.of(Account::Due) + self.of(Account::Paying)
    }

    pub fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }

    pub fn shown(&self, minor: i64) -> String {
        self.money(minor).shown()
    }
}
