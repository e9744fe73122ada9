#![allow(warnings, unsafe_code)]
use axum::{Router, routing::{get, post}, extract::Request, body::Body};
use std::alloc::*; use std::sync::atomic::*;
use tower::ServiceExt; use tower::Service;
struct A; static N: AtomicUsize = AtomicUsize::new(0);
unsafe impl GlobalAlloc for A { unsafe fn alloc(&self,l:Layout)->*mut u8{N.fetch_add(1,Ordering::Relaxed);System.alloc(l)} unsafe fn dealloc(&self,p:*mut u8,l:Layout){System.dealloc(p,l)} unsafe fn realloc(&self,p:*mut u8,l:Layout,n:usize)->*mut u8{N.fetch_add(1,Ordering::Relaxed);System.realloc(p,l,n)} }
#[global_allocator] static G: A = A;
fn routes()->Router{ Router::new().route("/a/{id}", get(|| async { "hello" })).route("/n", post(|b: String| async { b })) }
fn req()->Request{ Request::get("/a/1").header("accept-encoding","gzip, br, zstd").header("user-agent","x").body(Body::empty()).unwrap() }
async fn count(name:&str, mut app: Router){
  for _ in 0..100 { app.call(req()).await.unwrap(); }
  let rs: Vec<_> = (0..1000).map(|_| req()).collect();
  let b=N.load(Ordering::Relaxed); let t=std::time::Instant::now();
  for r in rs { app.call(r).await.unwrap(); }
  println!("{name}: {} allocs/request {:?}", (N.load(Ordering::Relaxed)-b) as f64/1000.0, t.elapsed()/1000);
}
#[tokio::test]
async fn allocs(){
  let s=middleware::RequestSettings::default();
  count("bare", routes()).await;
  count("stack", middleware::stack(routes(), &s, problem::Naming::CamelCase)).await;
  count("1 from_fn", routes().layer(axum::middleware::from_fn(|r: Request, n: axum::middleware::Next| async { n.run(r).await }))).await;
  count("catch", routes().layer(tower_http::catch_panic::CatchPanicLayer::new())).await;
  count("compress", routes().layer(tower_http::compression::CompressionLayer::new())).await;
}
#[tokio::test]
async fn wire(){
  let s=middleware::RequestSettings::default();
  let app=middleware::stack(routes(), &s, problem::Naming::CamelCase);
  let l=tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(); let a=l.local_addr().unwrap();
  tokio::spawn(async move { axum::serve(l, app).await });
  use tokio::io::*;
  for r in ["GET /a/1 HTTP/1.1\r\nhost: x\r\nif-none-match: *\r\nconnection: close\r\n\r\n",
   "HEAD /a/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
   "HEAD /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
   "GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
   "POST /n HTTP/1.1\r\nhost: x\r\nx-request-timeout-ms: 100\r\ncontent-length: 10\r\n\r\nabc",
   "POST /n HTTP/1.1\r\nhost: x\r\nx-request-timeout-ms: 100\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
   "POST /n HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1000000\r\nconnection: close\r\n\r\n",
   "GET /a/1{\"x\"} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
   "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
   "CONNECT x:1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
   ] {
    let mut c=tokio::net::TcpStream::connect(a).await.unwrap(); c.write_all(r.as_bytes()).await.unwrap();
    let mut o=vec![]; let t=std::time::Instant::now(); let e=tokio::time::timeout(std::time::Duration::from_secs(1), c.read_to_end(&mut o)).await;
    println!(">>> {r}<<< {:?} closed={}\n{}\n", t.elapsed(), e.is_ok(), String::from_utf8_lossy(&o));
  }
}
