use bytes::Bytes;
use domain_clients::{BillingAccount, NotificationList, Order, Page, Product, Promo, UsageReport, User};
use http::StatusCode;
use upstream_client::fuzzing::answered;

/// What a domain service answers: its status, its headers, its body, read as what each of its contracts says.
pub fn answers(input: &[u8]) {
    let (first, headers, body) = crate::message(input);
    let status = first.parse().ok().and_then(|status: u16| StatusCode::from_u16(status).ok());
    let Some(status) = status else { return };
    let body = Bytes::copy_from_slice(body);
    let readers = [
        answered::<User>,
        answered::<BillingAccount>,
        answered::<UsageReport>,
        answered::<NotificationList>,
        answered::<Order>,
        answered::<Page<Order>>,
        answered::<Product>,
        answered::<Page<Product>>,
        answered::<Promo>,
    ];
    for read in readers {
        read(status, &headers, &body);
    }
}
