//! The form of payout details: a method is chosen first, then its fields are filled in. Numbers that are stored are
//! never filled in again: a field that is left empty keeps them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, Path};
use axum::http::StatusCode;

use super::name_of;
use crate::payout_details::store;
use crate::payout_details::{self, AccountType, Details, Method, Saved, WiseNumber, WiseRecipient, typed};
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::page::Places;
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Flash, Form, PageResult, Tab, html};

pub fn routes() -> Routes {
    let pay = Access::May(Right::Pay);
    Routes::new().get("/referrers/{id}/payout-details", pay, edit).form("/referrers/{id}/payout-details", pay, update)
}

#[derive(Template)]
#[template(path = "payout_details/form.html")]
struct FormPage {
    frame: Frame,
    form: Form,
    id: i64,
    name: String,
    method: Method,
    tabs: Vec<Tab>,
    currencies: Vec<Choice>,
    account_types: Vec<Choice>,
    places: Places,
    /// The details of this method that are stored, masked: an empty field keeps them.
    stored: Option<String>,
}

impl FormPage {
    async fn of(page: &Page, id: i64, method: Method, form: Form) -> Result<Self, Fault> {
        let tab = |one: Method| Tab {
            label: one.title().to_owned(),
            url: format!("/referrers/{id}/payout-details?method={one}"),
            current: one == method,
            count: String::new(),
        };
        let by_email = [(String::new(), "By e-mail: Wise asks them for their account".to_owned())];
        let currencies =
            typed::currencies().into_iter().map(|c| (c.code().to_owned(), format!("{c} account", c = c.code())));
        let current = store::current_of(&mut page.read().await?, page.member.business_id, &[id]).await?.pop();
        Ok(Self {
            frame: page.frame("referrers").await?,
            stored: current.filter(|row| row.method == method).map(|row| row.masked),
            id,
            name: name_of(page, id).await?,
            method,
            tabs: Method::ALL.map(tab).into(),
            currencies: Choice::list(by_email.into_iter().chain(currencies), form.value("wise_currency")),
            account_types: Choice::list(
                AccountType::ALL.map(|kind| (kind.word(), kind.title())),
                form.value("account_type"),
            ),
            places: Places,
            form,
        })
    }

    fn keeps(&self) -> bool {
        self.stored.is_some()
    }

    fn is(&self, word: &str) -> bool {
        self.method.word() == word
    }
}

async fn edit(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/referrers", &uri, &["method"]);
    let method = Method::parse(query.get("method")).unwrap_or(Method::Paypal);
    let name = name_of(&page, id).await?;
    let mut filled = Form::filled(&[("method", method.word())]);
    match payout_details::stored(&page.app, page.member.business_id, id, method).await? {
        None => filled.set("account_holder", name),
        // Choices have no empty field that could keep them.
        Some(Details::Wise(WiseRecipient::Account(account))) => {
            filled.set("wise_currency", account.currency);
            if let WiseNumber::Aba { account_type, .. } = account.number {
                filled.set("account_type", account_type.word());
            }
        }
        Some(_) => {}
    }
    html(&FormPage::of(&page, id, method, filled).await?)
}

async fn update(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let business = page.member.business_id;
    let method = form.choice("method", "The method", Method::parse).unwrap_or(Method::Paypal);
    if form.is_fine() {
        let stored = payout_details::stored(&page.app, business, id, method).await?;
        let kept = stored.map(|stored| payout_details::kept(&stored, &|field| form.value(field))).unwrap_or_default();
        let value = |field: &str| match form.value(field) {
            typed if typed.trim().is_empty() => kept.get(field).map_or(typed, String::as_str),
            typed => typed,
        };
        match payout_details::read(method, &value, &page.member.country) {
            Ok(details) => {
                let actor = Arc::new(page.member.actor());
                let url = format!("/referrers/{id}");
                match payout_details::set(&page.app, &actor, business, id, &details).await? {
                    Saved::Done { changed: true } => {
                        let said = format!("Saved: {}, {}.", method.title(), details.masked());
                        return page.go(&url, Flash::good(said)).await;
                    }
                    Saved::Done { changed: false } => return page.go(&url, Flash::info("Nothing was changed.")).await,
                    Saved::NotFound => return Err(Fault::NotFound),
                    Saved::Refused(why) => form.fail("", why),
                }
            }
            Err(wrong) => wrong.into_iter().for_each(|wrong| form.fail(wrong.field, wrong.why)),
        }
    }
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &FormPage::of(&page, id, method, form).await?)
}
