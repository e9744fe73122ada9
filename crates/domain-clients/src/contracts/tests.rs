//! The list against the clients.

use std::collections::BTreeSet;
use std::path::Path;

use request_context::RequestContext;
use test_support::{FakeUpstream, context, fixed_tokens};

use super::*;
use crate::{
    Billing, Catalog, Notifications, OrderFilter, Orders, Outbound, ProductSearch, UpstreamSettings, Usage,
    Users,
};

#[test]
fn every_operation_is_listed() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = std::fs::read_dir(src).unwrap().map(|file| file.unwrap().path());
    let code: String =
        files.filter(|file| file.is_file()).map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let declared: BTreeSet<&str> = ["Operation::get(\"", "Operation::post(\""]
        .into_iter()
        .flat_map(|start| code.split(start).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let listed: BTreeSet<&str> = SERVICES
        .iter()
        .flat_map(|service| service.contracts)
        .map(|contract| contract.operation.name)
        .collect();
    let lacking: Vec<_> = declared.difference(&listed).collect();
    assert!(!declared.is_empty() && lacking.is_empty(), "contracts.rs lacks {lacking:?}");
}

#[test]
fn an_operation_is_named_after_its_service() {
    for service in SERVICES {
        for contract in service.contracts {
            assert_eq!(contract.operation.name.split('.').next(), Some(service.name));
            assert_ne!(contract.operation.credential, Credential::Nobody, "a check always brings a token");
        }
    }
}

/// What is asked, in order: with which credential, route and query.
async fn asked(
    ask: impl AsyncFnOnce(&Outbound, &UpstreamSettings, &RequestContext),
) -> BTreeSet<[String; 3]> {
    let fake = FakeUpstream::start().await;
    let settings = UpstreamSettings::at(fake.url.parse().unwrap());
    ask(&Outbound::new(fixed_tokens()), &settings, &context()).await;
    let seen = fake.seen().into_iter();
    seen.map(|seen| [format!("{:?}", seen.headers.get("x-user-id")), seen.route, seen.query]).collect()
}

#[tokio::test]
async fn contracts_ask_what_the_clients_ask() {
    let (order, product): (OrderId, ProductId) = ("o_1".parse().unwrap(), "p_1".parse().unwrap());
    let by_clients = asked(async |outbound, settings, ctx| {
        let orders = Orders::new(settings, outbound).unwrap();
        let catalog = Catalog::new(settings, outbound).unwrap();
        Users::new(settings, outbound).unwrap().profile(ctx).await.unwrap_err();
        orders.page(ctx, &OrderFilter { limit: 50, ..OrderFilter::default() }).await.unwrap_err();
        orders.get(ctx, &order).await.unwrap_err();
        orders.events(ctx, None).await.unwrap_err();
        catalog.product(ctx, &product).await.unwrap_err();
        catalog.products(ctx, [&product]).await.unwrap_err();
        catalog.search(ctx, &ProductSearch { limit: 50, ..ProductSearch::default() }).await.unwrap_err();
        catalog.promos(ctx).await.unwrap_err();
        Notifications::new(settings, outbound).unwrap().unread(ctx, 50).await.unwrap_err();
        Billing::new(settings, outbound).unwrap().account(ctx).await.unwrap_err();
        Usage::new(settings, outbound).unwrap().account(ctx).await.unwrap_err();
    });
    let by_contracts = asked(async |outbound, settings, ctx| {
        let samples = Samples { order: Some(order.clone()), products: vec![product.clone()] };
        for service in SERVICES {
            let upstream = Upstream::new(service.name, settings, outbound).unwrap();
            for contract in service.contracts.iter().filter(|contract| contract.is_read()) {
                contract.check(&upstream, ctx, &samples).await.unwrap().unwrap_err();
            }
        }
    });
    assert_eq!(by_contracts.await, by_clients.await);
}

#[tokio::test]
async fn what_cannot_be_asked_says_what_is_missing() {
    let settings = UpstreamSettings::at("http://127.0.0.1:9".parse().unwrap());
    let upstream = Upstream::new("orders", &settings, &Outbound::new(fixed_tokens())).unwrap();
    for (operation, expected) in [
        (&orders::PLACE, NotChecked::Write),
        (&orders::GET, NotChecked::NoSample("--order ID")),
        (&catalog::GET, NotChecked::NoSample("--product ID")),
        (&catalog::BATCH, NotChecked::NoSample("--product ID")),
    ] {
        let mut all = SERVICES.iter().flat_map(|service| service.contracts);
        let contract = all.find(|contract| contract.operation.name == operation.name).unwrap();
        let checked = contract.check(&upstream, &context(), &Samples::default()).await;
        assert_eq!(checked.unwrap_err(), expected);
        assert_eq!(contract.unknown(&upstream, &context(), &Samples::default()).await, Err(expected));
    }
}
