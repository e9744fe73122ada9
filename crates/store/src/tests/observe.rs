use test_support::{Metrics, RedisServer};

use super::ground::settings;
use super::*;

#[tokio::test]
async fn a_meter_sees_a_store_in_memory() {
    let (store, metrics) = (SharedStore::memory(), Metrics::new());
    store.put("before", Entry::new("it is observed", hours(1)), If::Any).await.unwrap();
    store.observe("things", &metrics.meter());
    // Who has a clone of it may show it, too.
    store.clone().observe("others", &metrics.meter());
    store.get("a").await.unwrap();
    let large = Entry::new(vec![0; 1 << 30], hours(1));
    store.put("a", large, If::Any).await.unwrap_err();

    let count =
        |labels: &str| metrics.value(&format!("db_client_operation_duration_seconds_count{{{labels}}}"));
    assert_eq!(count(r#"db_operation_name="get",db_system_name="memory""#), 1);
    assert_eq!(count(r#"db_operation_name="put",db_system_name="memory",error_type="full""#), 1);
    let of = r#"{db_system_name="memory",triptych_store_keeps="things"}"#;
    assert_eq!(metrics.lines("triptych_store_up"), [format!("triptych_store_up{of} 1")]);
    assert_eq!(metrics.lines("triptych_store_entries"), [format!("triptych_store_entries{of} 1")]);
    let (size, limit) = (metrics.value("triptych_store_size"), metrics.value("triptych_store_limit"));
    assert!(0 < size && size < limit, "{size} of {limit} bytes");
}

#[tokio::test]
async fn a_meter_sees_whether_the_last_operation_reached_redis() {
    let server = RedisServer::start().await;
    let (store, metrics) = (SharedStore::open(&settings(&server)).unwrap(), Metrics::new());
    store.observe("things", &metrics.meter());
    store.get("a").await.unwrap();
    let up = || metrics.value(r#"triptych_store_up{db_system_name="redis","#);
    assert_eq!(up(), 1);
    drop(server);
    store.get("a").await.unwrap_err();
    assert_eq!(up(), 0);
    let failed = r#"db_client_operation_duration_seconds_count{db_operation_name="get",db_system_name="redis",error_type="unavailable"}"#;
    assert_eq!(metrics.value(failed), 1);
}
