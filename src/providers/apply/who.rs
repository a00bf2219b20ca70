//! Finds who paid, with which code, and for which campaign.

use super::group;
use super::plan::{Planner, Rest, lead};
use crate::codes;
use crate::db::DbResult;
use crate::email::Email;
use crate::providers::store::{self, KnownPayment, LinkRow, asked, ties};
use crate::providers::told::{Hint, Who};

/// A code that was used, and the campaign it is of.
pub struct Used {
    pub text: String,
    pub campaign_id: Option<i64>,
}

impl Planner<'_> {
    /// The address and name of whoever paid; without them the plan waits.
    pub async fn person(
        &mut self,
        who: &Who,
        known: Option<&KnownPayment>,
    ) -> DbResult<Option<(Email, Option<String>)>> {
        let mut name = who.name.clone();
        let mut email = known.map(|known| known.email.clone());
        if let (None, Some(customer)) = (&email, &who.customer) {
            let mut conn = self.core.db.read().await?;
            email = ties::address_of(&mut conn, self.account.row.id, &lead(customer)).await?;
        }
        email = email.or_else(|| who.email.clone());
        if let (None, Some(customer)) = (&email, &who.customer) {
            let mut conn = self.core.db.read().await?;
            match group::customer(&mut conn, self.account.row.provider, self.account.row.id, customer).await? {
                Some((found, called)) => {
                    email = Some(found);
                    name = name.or(called);
                }
                None => {
                    self.plan.awaits.push(customer.clone());
                    let why = format!("It waits to learn the e-mail address of the customer {customer}.");
                    self.plan.rest = Rest::Waits(why);
                    return Ok(None);
                }
            }
        }
        let Some(email) = email else {
            self.plan.rest = Rest::Failed("It says neither an e-mail address nor a customer.".into());
            return Ok(None);
        };
        match Email::parse(&email) {
            Ok(email) => Ok(Some((email, name))),
            Err(why) => {
                self.plan.rest = Rest::Failed(format!("Its e-mail address {email} {why}."));
                Ok(None)
            }
        }
    }

    /// The referral code that was used, by the best hint that is one of the business's codes.
    pub async fn code(&mut self, hints: &[Hint]) -> DbResult<Option<Used>> {
        let mut conn = self.core.db.read().await?;
        let mut said = None;
        for hint in hints {
            match group::code(&mut conn, self.account.row.provider, self.account.row.id, hint).await? {
                Err(id) => {
                    // A worse hint is not taken while Stripe can be asked about a better one.
                    let asks = !self.account.row.masked.is_empty()
                        && !asked::is_asked(&mut conn, self.account.row.id, &id).await?;
                    self.plan.awaits.push(id);
                    if asks {
                        return Ok(None);
                    }
                }
                Ok(text) => {
                    let text = text.trim().to_owned();
                    match codes::find(&mut conn, self.business.id, &text).await? {
                        Some((code, _)) => {
                            return Ok(Some(Used { text: code.text, campaign_id: Some(code.campaign_id) }));
                        }
                        // The shop says that it is a referral code: a person looks who was meant.
                        None if matches!(hint, Hint::Code(_)) => said = said.or(Some(Used { text, campaign_id: None })),
                        None => {}
                    }
                }
            }
        }
        Ok(said)
    }

    /// The campaign that a payment is for: its code's, else the one it is known in, else where the address is a lead,
    /// else the first.
    pub async fn link(
        &mut self,
        used: Option<&Used>,
        email: &Email,
        known: Option<&KnownPayment>,
    ) -> DbResult<Option<LinkRow>> {
        let links = &self.account.links;
        if let Some(link) = known.and_then(|known| links.iter().find(|link| link.product == known.product)) {
            return Ok(Some(link.clone()));
        }
        if let Some(known) = known {
            // It came by a call, for a product that this account is not for.
            let mut conn = self.core.db.read().await?;
            let product = crate::products::by_public_id(&mut conn, self.business.id, &known.product).await?;
            let first = links.first().cloned();
            return Ok(product.zip(first).map(|(product, link)| LinkRow {
                campaign_id: product.campaign_id,
                product_id: product.id,
                product: product.public_id,
                product_name: product.name,
                product_test: product.test,
                ..link
            }));
        }
        if let Some(campaign_id) = used.and_then(|used| used.campaign_id)
            && let Some(link) = links.iter().find(|link| link.campaign_id == campaign_id)
        {
            return Ok(Some(link.clone()));
        }
        let mut conn = self.core.db.read().await?;
        let known_in = store::campaigns_of(&mut conn, self.business.id, email.key()).await?;
        let is_lead = |link: &&LinkRow| known_in.contains(&(link.campaign_id, self.is_test(Some(link))));
        Ok(links.iter().find(is_lead).or(links.first()).cloned())
    }
}
