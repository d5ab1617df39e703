#!/usr/bin/env node
// A Cosmos DB account in memory.   node cosmos.js [--port 0] [--host 127.0.0.1]   prints "ready PORT"
require("./cosmos_documents");
const path = require("path");
const { createHttpServer } = require("@vercel/cosmosdb-server");
const faults = require("./faults");

const argument = (name, fallback) => {
  const index = process.argv.indexOf(name);
  return index < 0 ? fallback : process.argv[index + 1];
};

// The account sends its clients to where they came from, instead of to https.
const meta = require(path.join(path.dirname(require.resolve("@vercel/cosmosdb-server")), "handler/read-meta"));
const readMeta = meta.default;
meta.default = (account, req) => {
  const here = [{ name: "Local", databaseAccountEndpoint: `http://${req.headers.host}/` }];
  return { ...readMeta(account), writableLocations: here, readableLocations: here };
};

const server = createHttpServer({ keepAlive: true });
const [answer] = server.listeners("request");
server.removeAllListeners("request");
server.on("request", (req, res) => {
  res.setHeader("x-ms-session-token", "0:0#1");
  faults.intercept(req, res, () => answer(req, res));
});
server.keepAliveTimeout = 60000;
server.listen(parseInt(argument("--port", "0"), 10), argument("--host", "127.0.0.1"), () =>
  console.log("ready", server.address().port)
);
