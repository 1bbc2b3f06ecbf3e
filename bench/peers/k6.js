// The k6 peer: every virtual user gets the address again and again without a pause.
// The address comes from TARGET; users and duration from k6's own flags.
import http from "k6/http";

export const options = {
  summaryTrendStats: ["med", "p(99)", "max"],
  // k6 reads and keeps a body unless told not to; the other peers read and drop it.
  discardResponseBodies: true,
};

export default function () {
  http.get(__ENV.TARGET);
}

// One line of JSON instead of the table; times in milliseconds.
export function handleSummary(data) {
  const requests = data.metrics.http_reqs.values;
  const failed = data.metrics.http_req_failed.values;
  const line = {
    // A rate metric counts the samples that were "true": here, the requests that failed.
    completed: requests.count - failed.passes,
    failed: failed.passes,
    rate: requests.rate,
    p99_ms: data.metrics.http_req_duration.values["p(99)"],
  };
  return { stdout: JSON.stringify(line) + "\n" };
}
