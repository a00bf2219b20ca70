pub mod asked;
pub mod codes;
pub mod messages;
pub mod performance;
pub mod runs;
pub mod staged;
pub mod ties;
pub mod uses;

use super::Provider;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::{row, rows};

row! {
    /// An account at a provider.
    #[derive(Debug, Clone)]
    pub struct AccountRow {
        pub id: i64,
        pub business_id: i64,
        pub provider: Provider,
        pub test: bool,
        pub account: String,
        pub name: String,
        pub sealed: String,
        pub masked: String,
        pub endpoint: String,
        pub created_at: i64,
        pub disconnected_at: Option<i64>,
        pub caught_up_at: Option<i64>,
        pub trouble: Option<String>,
        pub refused_at: Option<i64>,
        pub refused_why: Option<String>,
    }
}

/// The accounts of a business, the oldest first.
pub async fn accounts(conn: &mut Conn, business_id: i64) -> DbResult<Vec<AccountRow>> {
    sql("SELECT id, business_id, provider, test, account, name, sealed, masked, endpoint, created_at, disconnected_at,
                caught_up_at, trouble, refused_at, refused_why
           FROM provider_accounts
          WHERE business_id = $1
          ORDER BY id")
    .bind(business_id)
    .all(conn)
    .await
}

/// The connected accounts of every business at a provider.
pub async fn connected(conn: &mut Conn, provider: Provider) -> DbResult<Vec<AccountRow>> {
    sql("SELECT id, business_id, provider, test, account, name, sealed, masked, endpoint, created_at, disconnected_at,
                caught_up_at, trouble, refused_at, refused_why
           FROM provider_accounts
          WHERE provider = $1
            AND disconnected_at IS NULL
          ORDER BY id")
    .bind(provider)
    .all(conn)
    .await
}

pub async fn account(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<AccountRow>> {
    sql("SELECT id, business_id, provider, test, account, name, sealed, masked, endpoint, created_at, disconnected_at,
                caught_up_at, trouble, refused_at, refused_why
           FROM provider_accounts
          WHERE id = $1
            AND business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

/// An account as it is stored, with its secrets encrypted.
#[derive(Debug, Clone)]
pub struct NewAccount {
    pub business_id: i64,
    pub provider: Provider,
    pub test: bool,
    pub account: String,
    pub name: String,
    pub sealed: String,
    pub key_id: String,
    pub masked: String,
    pub endpoint: String,
}

/// Stores an account, or connects one that is known anew; answers its id.
pub async fn put_account(tx: &mut Tx, id: i64, new: &NewAccount) -> DbResult<i64> {
    let now = tx.now();
    let stored: (i64,) = sql("INSERT INTO provider_accounts
                (id, business_id, provider, test, account, name, sealed, key_id, masked, endpoint, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
             ON CONFLICT (business_id, provider, test, account) DO UPDATE
            SET name = excluded.name, sealed = excluded.sealed, key_id = excluded.key_id, masked = excluded.masked,
                endpoint = excluded.endpoint, updated_at = excluded.updated_at, disconnected_at = NULL,
                refused_at = NULL, refused_why = NULL, trouble = NULL
      RETURNING id")
    .bind(id)
    .bind(new.business_id)
    .bind(new.provider)
    .bind(new.test)
    .bind(&new.account)
    .bind(&new.name)
    .bind(&new.sealed)
    .bind(&new.key_id)
    .bind(&new.masked)
    .bind(&new.endpoint)
    .bind(now)
    .one(tx)
    .await?;
    Ok(stored.0)
}

/// Nothing is taken from the account any more. Its secrets stay, encrypted, for connecting it again.
pub async fn disconnect(tx: &mut Tx, business_id: i64, id: i64) -> DbResult<u64> {
    let now = tx.now();
    sql("UPDATE provider_accounts
            SET disconnected_at = $3, updated_at = $3
          WHERE id = $1
            AND business_id = $2
            AND disconnected_at IS NULL")
    .bind(id)
    .bind(business_id)
    .bind(now)
    .execute(tx)
    .await
}

/// Notes up to when an account was asked for what its messages did not bring, or why it could not be.
pub async fn caught_up(tx: &mut Tx, (id, at, trouble): &(i64, Option<i64>, Option<String>)) -> DbResult<()> {
    sql("UPDATE provider_accounts
            SET caught_up_at = COALESCE($2, caught_up_at), trouble = $3
          WHERE id = $1")
    .bind(*id)
    .bind(*at)
    .bind(trouble)
    .execute(tx)
    .await?;
    Ok(())
}

/// The discount of a campaign's codes, and the rules for using them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discount {
    pub coupon: String,
    pub coupon_words: String,
    /// JSON.
    pub rules: String,
    pub digest: String,
    pub keeps_renamed: bool,
}

pub async fn set_discount(tx: &mut Tx, link_id: i64, discount: &Discount) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE provider_campaigns
            SET coupon = $2, coupon_words = $3, rules = $4, digest = $5, keeps_renamed = $6, updated_at = $7
          WHERE id = $1")
    .bind(link_id)
    .bind(&discount.coupon)
    .bind(&discount.coupon_words)
    .bind(&discount.rules)
    .bind(&discount.digest)
    .bind(discount.keeps_renamed)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes that messages were turned away.
pub async fn refused(tx: &mut Tx, (ids, why): &(Vec<i64>, String)) -> DbResult<()> {
    let now = tx.now();
    sql("UPDATE provider_accounts
            SET refused_at = $2, refused_why = $3
          WHERE id IN (SELECT r.id
                         FROM rows($1, id BIGINT) r)")
    .bind(rows!(ids, id => { id: *id }))
    .bind(now)
    .bind(why)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// A campaign that an account is for, with the product that payments are for.
    #[derive(Debug, Clone)]
    pub struct LinkRow {
        pub id: i64,
        pub account_id: i64,
        pub campaign_id: i64,
        pub campaign: String,
        pub campaign_state: String,
        pub product_id: i64,
        pub product: String,
        pub product_name: String,
        pub product_test: bool,
        pub qualify_on_code: bool,
        pub unqualify_on_refund: bool,
        pub with_tax: bool,
        pub with_shipping: bool,
        pub coupon: String,
        pub coupon_words: String,
        pub rules: String,
        pub digest: String,
        pub sync_next_at: Option<i64>,
        pub synced_until: Option<i64>,
        pub updated_at: i64,
    }
}

impl LinkRow {
    /// The choices of the campaign.
    pub fn terms(&self) -> LinkTerms {
        LinkTerms {
            product_id: self.product_id,
            qualify_on_code: self.qualify_on_code,
            unqualify_on_refund: self.unqualify_on_refund,
            with_tax: self.with_tax,
            with_shipping: self.with_shipping,
        }
    }
}

/// The campaigns of the accounts of a business, the oldest link first.
pub async fn links(conn: &mut Conn, business_id: i64) -> DbResult<Vec<LinkRow>> {
    sql("SELECT l.id, l.account_id, l.campaign_id, c.name AS campaign, c.state AS campaign_state, l.product_id,
                p.public_id AS product, p.name AS product_name, p.test AS product_test, l.qualify_on_code,
                l.unqualify_on_refund, l.with_tax, l.with_shipping, l.coupon, l.coupon_words, l.rules, l.digest,
                l.sync_next_at, l.synced_until, l.updated_at
           FROM provider_campaigns l
           JOIN campaigns c ON c.id = l.campaign_id
           JOIN products p ON p.id = l.product_id
          WHERE l.business_id = $1
          ORDER BY l.id")
    .bind(business_id)
    .all(conn)
    .await
}

/// The choices of a campaign for the payments of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTerms {
    pub product_id: i64,
    pub qualify_on_code: bool,
    pub unqualify_on_refund: bool,
    pub with_tax: bool,
    pub with_shipping: bool,
}

/// Lets an account be for a campaign, or changes the choices of one it is for.
pub async fn put_link(
    tx: &mut Tx,
    (id, business_id, account_id, campaign_id): (i64, i64, i64, i64),
    terms: &LinkTerms,
) -> DbResult<()> {
    let now = tx.now();
    sql("INSERT INTO provider_campaigns
                (id, business_id, account_id, campaign_id, product_id, qualify_on_code, unqualify_on_refund, with_tax,
                 with_shipping, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
             ON CONFLICT (account_id, campaign_id) DO UPDATE
            SET product_id = excluded.product_id, qualify_on_code = excluded.qualify_on_code,
                unqualify_on_refund = excluded.unqualify_on_refund, with_tax = excluded.with_tax,
                with_shipping = excluded.with_shipping, updated_at = excluded.updated_at")
    .bind(id)
    .bind(business_id)
    .bind(account_id)
    .bind(campaign_id)
    .bind(terms.product_id)
    .bind(terms.qualify_on_code)
    .bind(terms.unqualify_on_refund)
    .bind(terms.with_tax)
    .bind(terms.with_shipping)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// A payment as the engine has it.
    #[derive(Debug, Clone)]
    pub struct KnownPayment {
        pub id: i64,
        pub product: String,
        pub email: String,
        pub lead_id: Option<i64>,
        pub campaign_id: i64,
        pub amount: i64,
        pub refunded: i64,
        pub currency: String,
        pub payment_date: String,
        pub disputed_at: Option<i64>,
    }
}

/// The oldest payment with one of these names.
pub async fn payment(
    conn: &mut Conn,
    business_id: i64,
    test: bool,
    names: &[String],
) -> DbResult<Option<KnownPayment>> {
    sql("SELECT y.id, d.public_id AS product, y.email, y.lead_id, y.campaign_id, y.amount, y.refunded, y.currency,
                y.payment_date, y.disputed_at
           FROM payments y
           JOIN products d ON d.id = y.product_id
          WHERE y.id IN (SELECT n.payment_id
                           FROM rows($1, name TEXT) r
                           JOIN payment_names n ON n.business_id = $2
                                               AND n.test = $3
                                               AND n.name = r.name)
          ORDER BY y.id
          LIMIT 1")
    .bind(rows!(names, name => { name: name.as_str() }))
    .bind(business_id)
    .bind(test)
    .optional(conn)
    .await
}

/// True when an address has paid before, by another payment than this one.
pub async fn has_paid(
    conn: &mut Conn,
    (campaign_id, test): (i64, bool),
    email_key: &str,
    but: Option<i64>,
) -> DbResult<bool> {
    sql("SELECT EXISTS (SELECT 1
                          FROM payments
                         WHERE campaign_id = $1
                           AND test = $2
                           AND email_key = $3
                           AND id <> COALESCE($4, 0))")
    .bind(campaign_id)
    .bind(test)
    .bind(email_key)
    .bind(but)
    .scalar(conn)
    .await
}

/// The campaigns in which an address is a lead, of either mode.
pub async fn campaigns_of(conn: &mut Conn, business_id: i64, email_key: &str) -> DbResult<Vec<(i64, bool)>> {
    sql("SELECT l.campaign_id, l.test
           FROM campaigns c
           JOIN leads l ON l.campaign_id = c.id
          WHERE c.business_id = $1
            AND l.email_key = $2
            AND l.duplicate_of IS NULL")
    .bind(business_id)
    .bind(email_key)
    .all(conn)
    .await
}
