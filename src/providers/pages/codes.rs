//! The codes of a campaign at Stripe: what they take off, the rules for using them, and how each stands.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use super::campaign::{account, find, named};
use crate::campaigns::Campaign;
use crate::money::Money;
use crate::providers::accounts::Account;
use crate::providers::store::codes as store;
use crate::providers::stripe::coupon::{self, Coupon, Duration, NewCoupon, Off};
use crate::providers::stripe::discount::{self, Wish};
use crate::providers::stripe::rules::Rules;
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::web::page::{Places, html_with};
use crate::web::{Choice, Fault, Flash, Form, PageResult, html};

#[derive(Template)]
#[template(path = "providers/codes.html")]
struct CodesPage {
    frame: Frame,
    form: Form,
    campaign: Campaign,
    account: Account,
    coupons: Vec<Coupon>,
    offs: Vec<Choice>,
    durations: Vec<Choice>,
    places: Places,
    counts: Counts,
    troubled: Vec<(i64, String, String)>,
    /// Codes that saving replaces, where that has to be confirmed first.
    replaces: i64,
}

impl CodesPage {
    fn name(&self) -> &str {
        named(&self.account)
    }

    /// The discount that counts, in words; empty before the first.
    fn now(&self) -> &str {
        self.account.link(self.campaign.id).map_or("", |link| &link.coupon_words)
    }

    /// The coupons that can be chosen, in a sentence.
    fn known(&self) -> String {
        if self.coupons.is_empty() {
            return String::new();
        }
        let words = |c: &Coupon| {
            format!(
                "{} ({}{})",
                c.id,
                if c.name.is_empty() { String::new() } else { format!("{}: ", c.name) },
                c.sentence
            )
        };
        format!("At Stripe: {}.", self.coupons.iter().take(10).map(words).collect::<Vec<_>>().join(", "))
    }

    fn replaced(&self) -> String {
        counted(self.replaces)
    }
}

/// Codes by state.
#[derive(Default)]
pub(super) struct Counts {
    pub made: i64,
    pub waiting: i64,
    pub refused: i64,
}

impl Counts {
    /// "120 made, 3 waiting, 1 refused"
    pub(super) fn sentence(&self) -> String {
        let parts = [(self.made, "made"), (self.waiting, "waiting"), (self.refused, "refused by Stripe")];
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", counted(*n))).collect();
        if parts.is_empty() { "none yet".to_owned() } else { parts.join(", ") }
    }
}

pub(super) async fn counts(page: &Page, account_id: i64, campaign_id: i64) -> Result<Counts, Fault> {
    let found = store::counts(&mut page.read().await?, account_id, campaign_id).await?;
    let of = |words: &[&str]| found.iter().filter(|(state, _)| words.contains(&state.as_str())).map(|(_, n)| n).sum();
    Ok(Counts { made: of(&["made"]), waiting: of(&["waiting", "ending"]), refused: of(&["refused"]) })
}

const OFFS: [(&str, &str); 3] =
    [("percent", "A percentage off"), ("amount", "An amount off"), ("chosen", "A coupon that is at Stripe")];
const DURATIONS: [(&str, &str); 3] =
    [("once", "Once"), ("repeating", "For some months"), ("forever", "As long as the subscription lasts")];
/// Refused codes that the page names.
const NAMED: i64 = 20;

impl CodesPage {
    async fn of(page: &Page, form: Form, campaign: Campaign, account: Account, replaces: i64) -> Result<Self, Fault> {
        let client = discount::client(&page.app, &account);
        let coupons = match client {
            // Without the list a coupon can still be named.
            Ok(client) => coupon::list(&client).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let has_one = account.link(campaign.id).is_some_and(|link| !link.coupon.is_empty());
        let kept = has_one.then_some(("kept", "As it is"));
        Ok(Self {
            counts: counts(page, account.row.id, campaign.id).await?,
            troubled: store::troubled(&mut page.read().await?, account.row.id, campaign.id, NAMED).await?,
            offs: Choice::list(kept.into_iter().chain(OFFS), form.value("off")),
            durations: Choice::list(DURATIONS, form.value("duration")),
            places: Places,
            frame: page.frame("campaign").await?,
            coupons,
            form,
            campaign,
            account,
            replaces,
        })
    }
}

pub(super) async fn show(page: Page, Path((id, account_id)): Path<(i64, i64)>) -> PageResult {
    let campaign = find(&page, id).await?;
    let account = account(&page, id, account_id).await?;
    let Some(link) = account.link(id).cloned() else { return Err(Fault::NotFound) };
    let rules = Rules::read(&link.rules);
    let word = |on: bool| if on { "yes" } else { "" };
    let least = rules.least_order();
    let form = Form::filled(&[
        ("off", if link.coupon.is_empty() { "percent" } else { "kept" }),
        ("duration", "once"),
        ("name", &campaign.name),
        ("amount_currency", page.member.currency.code()),
        ("first_order", word(rules.first_order)),
        ("most_uses", &rules.most_uses.map(|n| n.to_string()).unwrap_or_default()),
        ("last_day", &rules.last_day.map(|day| day.to_string()).unwrap_or_default()),
        ("least", &least.map(Money::plain).unwrap_or_default()),
        ("least_currency", least.map_or(page.member.currency, |money| money.currency).code()),
        ("keeps_renamed", word(rules.keeps_renamed)),
    ]);
    html(&CodesPage::of(&page, form, campaign, account, 0).await?)
}

fn read_wish(form: &mut Form) -> Option<Wish> {
    let off = form.choice("off", "What codes take off", |word| {
        ["kept", "percent", "amount", "chosen"].into_iter().find(|known| *known == word)
    })?;
    let off = match off {
        "kept" => return Some(Wish::Kept),
        "chosen" => return form.line("coupon", "The coupon", 200).map(Wish::Chosen),
        "percent" => {
            let rate = form.rate("percent", "The percentage")?;
            if rate.units() == 0 || rate.units() % 100 != 0 {
                form.fail("percent", "The percentage must be above 0, with at most 2 decimals.");
                return None;
            }
            Off::Percent(rate.units() / 100)
        }
        _ => {
            let currency = form.currency("amount_currency", "The currency")?;
            Off::Amount(form.money("amount", "The amount", currency)?)
        }
    };
    let duration = form.choice("duration", "For how long", Duration::parse)?;
    let months = if duration == Duration::Months { form.number("months", "The months", 1, 36)? } else { 0 };
    let name = form.line("name", "The name", 40)?;
    Some(Wish::New(NewCoupon { name, off, duration, months }))
}

fn read_rules(form: &mut Form, page: &Page) -> Option<Rules> {
    let most_uses = if form.value("most_uses").trim().is_empty() {
        None
    } else {
        Some(form.number("most_uses", "The number of uses", 1, 1_000_000)?)
    };
    let last_day = if form.value("last_day").trim().is_empty() {
        None
    } else {
        let day = form.day("last_day", "The last day", page.today())?;
        if day < page.today() {
            form.fail("last_day", "The last day is over.");
        }
        Some(day)
    };
    let least = if form.value("least").trim().is_empty() {
        None
    } else {
        let currency = form.currency("least_currency", "The currency of the least order")?;
        let money = form.money("least", "The least order", currency)?;
        Some((money.minor, money.currency.code().to_owned()))
    };
    Some(Rules {
        first_order: form.checked("first_order"),
        most_uses,
        last_day,
        least,
        keeps_renamed: form.checked("keeps_renamed"),
    })
}

pub(super) async fn save(page: Page, Path((id, account_id)): Path<(i64, i64)>, mut form: Form) -> PageResult {
    let campaign = find(&page, id).await?;
    let account = account(&page, id, account_id).await?;
    let Some(link) = account.link(id).cloned() else { return Err(Fault::NotFound) };
    let (wish, rules) = (read_wish(&mut form), read_rules(&mut form, &page));
    let (Some(wish), Some(rules), true) = (wish, rules, form.is_fine()) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &CodesPage::of(&page, form, campaign, account, 0).await?);
    };
    let made = counts(&page, account_id, id).await?.made;
    let changes = !link.coupon.is_empty() && (wish != Wish::Kept || rules.digest(&link.coupon) != link.digest);
    if changes && made > 0 && form.value("replace") != "yes" {
        form.set("replace", "yes");
        return html(&CodesPage::of(&page, form, campaign, account, made).await?);
    }
    let actor = Arc::new(page.member.actor());
    let flash = match discount::set(&page.app, &actor, &account, id, (wish, rules)).await? {
        Ok(true) => Flash::good("Saved. Each referrer’s code is being made at Stripe."),
        Ok(false) => Flash::info("Nothing was different, so nothing was changed."),
        Err(why) => {
            form.fail("off", why);
            let page = CodesPage::of(&page, form, campaign, account, 0).await?;
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    page.go(&format!("/campaigns/{id}/payments/accounts/{account_id}/codes"), flash).await
}

pub(super) async fn again(page: Page, Path((id, account_id)): Path<(i64, i64)>) -> PageResult {
    let account = account(&page, id, account_id).await?;
    let count = page.app.db.write(vec![], (account.row.id, id), store::try_again).await?;
    let flash = match count {
        0 => Flash::info("No code waits for another try."),
        _ => Flash::good("They are being tried again."),
    };
    page.go(&format!("/campaigns/{id}/payments/accounts/{account_id}/codes"), flash).await
}
