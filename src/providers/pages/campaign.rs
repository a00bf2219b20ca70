//! The accounts of a campaign: how each is doing, what the campaign does with its payments, and disconnecting one.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use super::codes::counts;
use crate::campaigns::{self, Campaign};
use crate::products;
use crate::providers::Provider;
use crate::providers::accounts::{self, Account};
use crate::providers::connect as verbs;
use crate::providers::store::LinkTerms;
use crate::providers::store::messages;
use crate::providers::stripe::connect::{leave, webhook_url};
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Flash, Form, PageResult, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "providers/campaign.html")]
struct CampaignPage {
    frame: Frame,
    campaign: Campaign,
    accounts: Vec<Shown>,
    /// The providers whose accounts can be connected.
    providers: [Provider; Provider::ALL.len()],
    can_edit: bool,
}

/// An account, ready to read.
pub(super) struct Shown {
    account: Account,
    /// What the campaign does with its payments, a line each.
    does: Vec<String>,
    product: String,
    /// The discount of its codes at Stripe and how many there are; `None` where it has no key.
    codes: Option<(String, String)>,
    /// The rhythm in which customers become referrers; `None` where it has no key.
    daily: Option<&'static str>,
    last: Option<When>,
    /// Messages that a person has to look at.
    failed: i64,
    /// The last message that was turned away, where none came since.
    refused: Option<(When, String)>,
    /// Why its daily sync of customers does not go on.
    sync_stopped: Option<String>,
    webhook: String,
}

impl CampaignPage {
    /// A connected account gives the referrers' codes a discount.
    fn sells_codes(&self) -> bool {
        let gives =
            |a: &Shown| a.account.is_connected() && a.codes.as_ref().is_some_and(|(words, _)| !words.is_empty());
        self.accounts.iter().any(gives)
    }
}

impl Shown {
    fn name(&self) -> &str {
        named(&self.account)
    }

    /// A word of how it is doing, with its tone.
    fn state(&self) -> (&'static str, &'static str) {
        let is_bad = self.failed > 0 || self.refused.is_some() || self.sync_stopped.is_some();
        match (self.account.is_connected(), is_bad, &self.last) {
            (false, ..) => ("disconnected", "neutral"),
            (true, true, _) => ("needs a look", "bad"),
            (true, false, None) => ("no message yet", "warning"),
            (true, false, Some(_)) => ("connected", "good"),
        }
    }

    fn failed_shown(&self) -> String {
        counted(self.failed)
    }
}

/// The name of an account, else its id, else its provider.
pub(super) fn named(account: &Account) -> &str {
    let row = &account.row;
    [row.name.as_str(), row.account.as_str()].into_iter().find(|text| !text.is_empty()).unwrap_or(row.provider.title())
}

pub(super) async fn find(page: &Page, id: i64) -> Result<Campaign, Fault> {
    campaigns::find(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)
}

/// The business's account with this id, which is for this campaign.
pub(super) async fn account(page: &Page, campaign_id: i64, id: i64) -> Result<Account, Fault> {
    let all = accounts::of(&mut page.read().await?, page.member.business_id).await?;
    let found = all.into_iter().find(|a| a.row.id == id && a.link(campaign_id).is_some());
    found.ok_or(Fault::NotFound)
}

pub(super) async fn show(page: Page, Path(id): Path<i64>) -> PageResult {
    let campaign = find(&page, id).await?;
    let mut conn = page.read().await?;
    let all = accounts::of(&mut conn, page.member.business_id).await?;
    let pulses = messages::pulses(&mut conn, page.member.business_id).await?;
    drop(conn);
    let mut shown = Vec::new();
    for account in all {
        let Some(link) = account.link(id).cloned() else { continue };
        let pulse = pulses.iter().find(|pulse| pulse.account_id == account.row.id);
        let last = pulse.and_then(|pulse| pulse.last_at);
        let refused = account.row.refused_at.filter(|at| last.is_none_or(|last| last < *at));
        let why = account.row.refused_why.clone().unwrap_or_default();
        shown.push(Shown {
            does: does(&link.terms()),
            product: link.product_name.clone(),
            codes: match account.row.masked.is_empty() {
                true => None,
                false => Some((link.coupon_words.clone(), counts(&page, account.row.id, id).await?.sentence())),
            },
            daily: (!account.row.masked.is_empty()).then_some(match link.sync_next_at {
                Some(_) => "every day",
                None => "by hand",
            }),
            last: last.map(|at| page.when(at)),
            failed: pulse.map_or(0, |pulse| pulse.failed),
            sync_stopped: pulse.and_then(|pulse| pulse.sync_stopped.clone()),
            refused: refused.map(|at| (page.when(at), why)),
            webhook: webhook_url(&page.app.config.public_url, account.row.provider, &page.member.business_public_id),
            account,
        });
    }
    html(&CampaignPage {
        accounts: shown,
        providers: Provider::ALL,
        can_edit: page.member.may(Right::EditCampaigns),
        campaign,
        frame: page.frame("campaign").await?,
    })
}

/// What a campaign does with payments, in sentences.
fn does(terms: &LinkTerms) -> Vec<String> {
    let counted = match (terms.with_tax, terms.with_shipping) {
        (false, false) => "without tax and shipping",
        (true, false) => "with tax, without shipping",
        (false, true) => "with shipping, without tax",
        (true, true) => "with tax and shipping",
    };
    let mut lines = vec![format!("Commissions are computed from what was paid after discounts, {counted}.")];
    lines.push(if terms.qualify_on_code {
        "A lead is qualified as soon as a code of the campaign is used.".into()
    } else {
        "The campaign's rule says when a lead is qualified.".into()
    });
    if terms.unqualify_on_refund {
        lines.push("A whole refund takes the qualification back.".into());
    }
    lines
}

#[derive(Template)]
#[template(path = "providers/terms.html")]
struct TermsPage {
    frame: Frame,
    form: Form,
    campaign: Campaign,
    account: Account,
    products: Vec<Choice>,
}

impl TermsPage {
    fn name(&self) -> &str {
        named(&self.account)
    }
}

/// The products of a campaign, to choose one.
pub(super) async fn choices(page: &Page, campaign_id: i64, chosen: &str) -> Result<Vec<Choice>, Fault> {
    let all = products::of_campaign(&mut page.read().await?, page.member.business_id, campaign_id).await?;
    let mode = |test: bool| if test { " (test)" } else { "" };
    let label =
        |product: products::ProductLine| (product.id.to_string(), format!("{}{}", product.name, mode(product.test)));
    Ok(Choice::list(all.into_iter().map(label), chosen))
}

pub(super) async fn terms(page: Page, Path((id, account_id)): Path<(i64, i64)>) -> PageResult {
    let campaign = find(&page, id).await?;
    let account = account(&page, id, account_id).await?;
    let Some(terms) = account.link(id).map(|link| link.terms()) else { return Err(Fault::NotFound) };
    let word = |on: bool| if on { "yes" } else { "" };
    let form = Form::filled(&[
        ("product", &terms.product_id.to_string()),
        ("qualify_on_code", word(terms.qualify_on_code)),
        ("unqualify_on_refund", word(terms.unqualify_on_refund)),
        ("with_tax", word(terms.with_tax)),
        ("with_shipping", word(terms.with_shipping)),
    ]);
    let products = choices(&page, id, form.value("product")).await?;
    html(&TermsPage { frame: page.frame("campaign").await?, form, campaign, account, products })
}

/// The choices of a form; `None` where no product is chosen.
pub(super) fn read(form: &mut Form, products: &[Choice]) -> Option<LinkTerms> {
    let known = |text: &str| products.iter().any(|choice| choice.value == text).then(|| text.parse().ok()).flatten();
    let product_id = form.choice("product", "The product", known)?;
    Some(LinkTerms {
        product_id,
        qualify_on_code: form.checked("qualify_on_code"),
        unqualify_on_refund: form.checked("unqualify_on_refund"),
        with_tax: form.checked("with_tax"),
        with_shipping: form.checked("with_shipping"),
    })
}

pub(super) async fn change(page: Page, Path((id, account_id)): Path<(i64, i64)>, mut form: Form) -> PageResult {
    let campaign = find(&page, id).await?;
    let account = account(&page, id, account_id).await?;
    let products = choices(&page, id, form.value("product")).await?;
    let (Some(terms), true) = (read(&mut form, &products), form.is_fine()) else {
        let page = TermsPage { frame: page.frame("campaign").await?, form, campaign, account, products };
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let actor = Arc::new(page.member.actor());
    let of = (page.member.business_id, account_id, id);
    let flash = match verbs::change(&page.app, &actor, of, terms).await? {
        None => return Err(Fault::NotFound),
        Some(false) => Flash::info("Nothing was different, so nothing was changed."),
        Some(true) => Flash::good("Saved. It applies to payments from now on; what is recorded stays as it is."),
    };
    page.go(&format!("/campaigns/{id}/payments"), flash).await
}

#[derive(Template)]
#[template(path = "providers/disconnect.html")]
struct DisconnectPage {
    frame: Frame,
    campaign: Campaign,
    account: Account,
    /// The other campaigns that the account is for.
    others: Vec<String>,
}

impl DisconnectPage {
    fn name(&self) -> &str {
        named(&self.account)
    }
}

pub(super) async fn ask_disconnect(page: Page, Path((id, account_id)): Path<(i64, i64)>) -> PageResult {
    let campaign = find(&page, id).await?;
    let account = account(&page, id, account_id).await?;
    let others = account.links.iter().filter(|link| link.campaign_id != id).map(|link| link.campaign.clone()).collect();
    html(&DisconnectPage { frame: page.frame("campaign").await?, campaign, account, others })
}

pub(super) async fn disconnect(page: Page, Path((id, account_id)): Path<(i64, i64)>) -> PageResult {
    let account = account(&page, id, account_id).await?;
    let actor = Arc::new(page.member.actor());
    let done = leave(&page.app, &actor, page.member.business_id, account_id).await?;
    let title = account.row.provider.title();
    let flash = if done {
        Flash::good(format!("{title} is disconnected. Payments do not come by themselves any more; what came stays."))
    } else {
        Flash::info(format!("{title} was disconnected already."))
    };
    page.go(&format!("/campaigns/{id}/payments"), flash).await
}
