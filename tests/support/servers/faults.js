// Failures on demand, set by the tests over HTTP at /_faults, for both servers.
//   POST   {"match": "regular expression on `METHOD path kind`", "skip": n, "times": n, "when": "before" | "after",
//           "status": 429, "headers": {...}, "body": {...}}     kind: batch | query | feed | (nothing)
//          strikes "times" matching requests after it has let "skip" of them pass;
//          "after" lets the request have its effect and then answers with the failure; without a status the connection is
//          cut instead of answered; "partition": only requests whose partition key matches this too; "perSecond": strikes
//          only those that are more than so many in a second, as a container does that is asked for more than it has.
//   POST   {"match": …, "times": n, "delay": milliseconds}   the request is answered later, and rightly
//   POST   {"freeze": true}                      reads (not batches) show what stood at this moment, as a lagging replica
//   POST   {"record": true}                      from now on every request, and every document operation, is noted
//   DELETE clears everything; GET tells how often each rule has struck, GET /_faults/record what has been noted.
const state = { rules: [], frozen: false, noted: null, onFreeze: () => {} };

const note = line => state.noted && state.noted.push(line);

const kind = req => {
  if (req.headers["x-ms-cosmos-is-batch-request"]) return "batch";
  if (req.headers["x-ms-documentdb-isquery"]) return "query";
  return req.headers["a-im"] ? "feed" : "";
};

const readBody = req =>
  new Promise((resolve, reject) => {
    const chunks = [];
    req.on("data", chunk => chunks.push(chunk));
    req.on("end", () => resolve(Buffer.concat(chunks).toString()));
    req.on("error", reject);
  });

const control = async (req, res) => {
  if (req.method === "DELETE") {
    state.rules = [];
    state.frozen = false;
    state.noted = null;
  } else if (req.method === "POST") {
    const rule = JSON.parse(await readBody(req));
    if (rule.record) state.noted = [];
    else if (rule.freeze) {
      state.frozen = true;
      state.onFreeze();
    } else state.rules.push({ when: "before", skip: 0, times: 1, headers: {}, body: {}, ...rule, struck: 0 });
  }
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify(req.url.endsWith("/record") ? state.noted || [] : state.rules));
};

const strike = (rule, req, res, end) => {
  if (!rule.status) return req.socket.destroy();
  res.writeHead(rule.status, { "content-type": "application/json", ...rule.headers });
  return end.call(res, JSON.stringify(rule.body));
};

const within = rule => {
  const second = Math.floor(Date.now() / 1000);
  if (rule.second !== second) Object.assign(rule, { second, passed: 0 });
  rule.passed += 1;
  return rule.passed <= rule.perSecond;
};

// Deals with the request, or lets `next` do so.
const intercept = (req, res, next) => {
  if (req.url.startsWith("/_faults")) return control(req, res);
  const seen = `${req.method} ${req.url} ${kind(req)}`;
  note(seen);
  const partition = req.headers["x-ms-documentdb-partitionkey"] || "";
  const rule = state.rules.find(
    r => r.times > 0 && new RegExp(r.match).test(seen) && (!r.partition || new RegExp(r.partition).test(partition))
  );
  if (!rule) return next();
  if (rule.perSecond && within(rule)) return next();
  if (rule.skip > 0) {
    rule.skip -= 1;
    return next();
  }
  rule.times -= 1;
  rule.struck += 1;
  if (rule.delay) return setTimeout(next, rule.delay);
  if (rule.when === "after") {
    const end = res.end;
    res.end = () => {
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      return strike(rule, req, res, end);
    };
    return next();
  }
  req.resume();
  return req.on("end", () => strike(rule, req, res, res.end));
};

module.exports = { intercept, note, state };
