#!/usr/bin/env node
// Stands before Azurite and fails on demand.   node blob_proxy.js --target PORT [--port 0]   prints "ready PORT"
const http = require("http");
const faults = require("./faults");

const argument = (name, fallback) => {
  const index = process.argv.indexOf(name);
  return index < 0 ? fallback : process.argv[index + 1];
};
const target = parseInt(argument("--target"), 10);
const agent = new http.Agent({ keepAlive: true });

const passOn = (req, res) => {
  const options = { host: "127.0.0.1", port: target, method: req.method, path: req.url, headers: req.headers, agent };
  const onward = http.request(options, answer => {
    const chunks = [];
    answer.on("data", chunk => chunks.push(chunk));
    answer.on("end", () => {
      res.statusCode = answer.statusCode;
      for (const [name, value] of Object.entries(answer.headers)) {
        if (name !== "transfer-encoding" && name !== "connection") res.setHeader(name, value);
      }
      res.end(Buffer.concat(chunks));
    });
  });
  onward.on("error", () => req.socket.destroy());
  req.pipe(onward);
};
const server = http.createServer((req, res) => faults.intercept(req, res, () => passOn(req, res)));
server.keepAliveTimeout = 60000;
server.listen(parseInt(argument("--port", "0"), 10), "127.0.0.1", () => console.log("ready", server.address().port));
