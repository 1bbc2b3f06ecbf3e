//! The example `axum_service`: every request of its tour is answered as it should be.

#[path = "../../examples/axum_service/backend.rs"]
mod backend;
#[path = "../../examples/axum_service/service.rs"]
mod service;
#[path = "../../examples/axum_service/tour.rs"]
mod tour;

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_goes_as_it_should() {
    let lines = tour::run().await.expect("a tour");
    assert!(lines.len() > 30, "{lines:#?}");
}
