// What @vercel/cosmosdb-server 1.0.1 lacks of the documents' protocol, by replacing handlers in memory (no file of it is
// edited): 404 for what is not there, partitions that queries respect, several levels of partition key, transactional
// batches with roll-back, time to live, 304, OFFSET … LIMIT, DISTINCT, the service's limits on sizes and ids, and reads
// that lag behind.
const path = require("path");
const root = path.dirname(require.resolve("@vercel/cosmosdb-server"));
const load = file => require(path.join(root, file));
const { default: parse } = require("@zeit/cosmosdb-query");
const jsonModule = load("json");
const readJson = jsonModule.default;
// A request's body can be read once; both we and the package's own handlers want it.
const json = req => (req.parsed = req.parsed || readJson(req));
jsonModule.default = json;
const readItems = load("handler/_read-items").default;
const operations = load("handler/_document-operations");
const { patchOperation } = load("handler/_patch-operations");
const Documents = load("account/documents").default;
const partitions = load("utils/get-partition-from-header");
const faults = require("./faults");

const PARTITION_KEY = "x-ms-documentdb-partitionkey";
const MAX_DOCUMENT = 2 * 1024 * 1024;
const MAX_BATCH = 2 * 1024 * 1024;
const NOT_FOUND = "Entity with the specified id does not exist in the system.";

const now = () => Math.floor(Date.now() / 1000);
const at = (document, keyPath) => keyPath.split("/").slice(1).reduce((x, key) => (x == null ? undefined : x[key]), document);
const normal = values => JSON.stringify(values.map(x => (x === undefined || (x && typeof x === "object") ? null : x)));
const keyPaths = collection => ((collection.read().partitionKey || {}).paths || []).filter(p => p !== "/_partitionKey");
const fail = (res, status, code, message) => {
  res.statusCode = status;
  return { code, message };
};

// Documents are kept by all values of their partition key, and their id.
Documents.prototype._getPartition = function partitionOf(document) {
  const paths = this._partitionKeyPath.filter(p => p !== "/_partitionKey");
  return paths.length ? normal(paths.map(p => at(document, p))) : normal([document.id]);
};
partitions.parsePartitionKey = header => {
  const values = JSON.parse(header === undefined ? "[{}]" : header);
  return normal(Array.isArray(values) ? values : [values]);
};

// Kept beside the package's own maps, so that neither a partition's query nor the time to live walks every document.
const set = Documents.prototype._set;
Documents.prototype._set = function setAndNote(document) {
  const partition = this._getPartition(document);
  this.partitions = this.partitions || new Map();
  if (!this.partitions.has(partition)) this.partitions.set(partition, new Set());
  this.partitions.get(partition).add(document._rid);
  if (document.ttl > 0) this.nextExpiry = Math.min(this.nextExpiry || Infinity, document._ts + document.ttl);
  return set.call(this, document);
};

// A frozen replica: what each container held when the tests said so. Items are replaced and never changed, so that a copy
// of the map is a snapshot.
let frozen = new WeakMap();
const known = new Set();
faults.state.onFreeze = () => {
  frozen = new WeakMap([...known].map(documents => [documents, new Map(documents._data)]));
};
const dataOf = collection => {
  known.add(collection.documents);
  // A container that was first heard of after the freeze is one of which the replica has heard nothing yet.
  return faults.state.frozen ? frozen.get(collection.documents) || new Map() : collection.documents._data;
};
const visible = collection => [...dataOf(collection).values()].map(item => item.read());

const expire = collection => {
  const fallback = collection.read().defaultTtl;
  if (fallback === undefined || fallback === null) return;
  const { documents } = collection;
  if (!(fallback > 0) && !(documents.nextExpiry <= now())) return;
  documents.nextExpiry = Infinity;
  for (const item of [...documents._data.values()]) {
    const document = item.read();
    const ttl = document.ttl !== undefined ? document.ttl : fallback;
    if (ttl > 0 && document._ts + ttl <= now()) documents.delete(document.id, documents._getPartition(document));
    else if (ttl > 0) documents.nextExpiry = Math.min(documents.nextExpiry, document._ts + ttl);
  }
};

const found = (account, { dbId, collId }) => {
  const collection = account.database(dbId).collection(collId);
  if (!collection.read()) return null;
  known.add(collection.documents);
  expire(collection);
  return collection;
};

const inPartition = (collection, header) => {
  if (!header) return () => true;
  const wanted = JSON.parse(header).map(x => normal([x]));
  return document =>
    keyPaths(collection).slice(0, wanted.length).every((p, i) => normal([at(document, p)]) === wanted[i]);
};
const documentsIn = (collection, header) => {
  if (!header || JSON.parse(header).length < keyPaths(collection).length) {
    return visible(collection).filter(inPartition(collection, header));
  }
  const data = dataOf(collection);
  const rids = (collection.documents.partitions || new Map()).get(partitions.parsePartitionKey(header)) || [];
  return [...rids].filter(rid => data.has(rid)).map(rid => data.get(rid).read());
};

const noted = (collId, operation, document) =>
  `document ${collId} ${operation} ${document ? Buffer.byteLength(JSON.stringify(document)) : 0} ${(document || {}).kind || "-"}`;

const illegal = document => {
  if (typeof document.id !== "string" || !document.id || Buffer.byteLength(document.id) > 1023) return "id";
  if (/[/\\?#]/.test(document.id) || document.id.endsWith(" ")) return "id";
  return Buffer.byteLength(JSON.stringify(document)) > MAX_DOCUMENT ? "size" : null;
};
const refuse = (res, problem) =>
  problem === "size"
    ? fail(res, 413, "RequestEntityTooLarge", "Request size is too large")
    : fail(res, 400, "BadRequest", "The input id is invalid");

const handle = (file, handler) => {
  const module = load(`handler/${file}`);
  const original = module.default;
  module.default = async (account, req, res, params) => {
    const collection = found(account, params);
    if (!collection) return fail(res, 404, "NotFound", NOT_FOUND);
    return handler(collection, account, req, res, params, original);
  };
};

handle("read-document", (collection, account, req, res, { docId }) => {
  const document = documentsIn(collection, req.headers[PARTITION_KEY]).find(d => d.id === docId);
  if (!document) return fail(res, 404, "NotFound", NOT_FOUND);
  if (req.headers["if-none-match"] !== document._etag) return document;
  res.statusCode = 304;
  return undefined;
});

for (const file of ["create-document", "upsert-document", "replace-document"]) {
  handle(file, async (collection, account, req, res, params, original) => {
    const document = await json(req);
    const problem = illegal(document);
    faults.note(noted(params.collId, file.split("-")[0], document));
    return problem ? refuse(res, problem) : original(account, req, res, params);
  });
}
for (const file of ["delete-document", "patch-document"]) {
  handle(file, (collection, account, req, res, params, original) => original(account, req, res, params));
}

const prepare = body => {
  const literal = text => (text[0] === "@" ? body.parameters.find(p => p.name === text).value : Number(text));
  let sql = body.query;
  let window = null;
  const paging = sql.match(/\s+OFFSET\s+(@?\w+)\s+LIMIT\s+(@?\w+)\s*$/i);
  if (paging) {
    window = [literal(paging[1]), literal(paging[2])];
    sql = sql.slice(0, paging.index);
  }
  const distinct = /^\s*SELECT\s+DISTINCT\s/i.test(sql);
  if (distinct) sql = sql.replace(/^\s*SELECT\s+DISTINCT\s/i, "SELECT ");
  return { sql, window, distinct };
};

handle("query-documents", (collection, account, req, res) =>
  readItems(req, res, "Documents", async ({ continuation, maxItemCount }) => {
    const body = await json(req);
    const { sql, window, distinct } = prepare(body);
    const plain = !window && !distinct;
    try {
      const answer = parse(sql).exec(documentsIn(collection, req.headers[PARTITION_KEY]), {
        parameters: body.parameters,
        udf: collection.userDefinedFunctions.functions,
        maxItemCount: plain ? maxItemCount : null,
        continuation: plain ? continuation : null,
        compositeIndexes: (collection.read().indexingPolicy || {}).compositeIndexes || []
      });
      if (distinct) {
        const seen = new Set();
        answer.result = answer.result.filter(x => !seen.has(JSON.stringify(x)) && seen.add(JSON.stringify(x)));
      }
      if (window) answer.result = answer.result.slice(window[0], window[0] + window[1]);
      return answer;
    } catch (error) {
      return fail(res, 400, "BadRequest", error.message);
    }
  })
);

handle("read-documents", (collection, account, req, res) =>
  readItems(req, res, "Documents", async options =>
    parse("SELECT * FROM c").exec(documentsIn(collection, req.headers[PARTITION_KEY]), options)
  )
);

const OPERATIONS = {
  Create: (collection, item) => operations.createOperation(collection, item),
  Upsert: (collection, item) => operations.upsertOperation(collection, item),
  Read: (collection, item) => operations.readOperation(collection, item),
  Delete: (collection, item) => operations.deleteOperation(collection, item),
  Replace: (collection, item) => operations.replaceOperation(collection, item),
  Patch: (collection, item) =>
    patchOperation(collection, {
      ...item,
      operations: item.resourceBody.operations,
      condition: item.resourceBody.condition
    })
};

const perform = (collection, item, partitionKey) => {
  const writes = ["Create", "Upsert", "Replace"].includes(item.operationType);
  const problem = writes ? illegal(item.resourceBody) : null;
  if (problem) return { statusCode: problem === "size" ? 413 : 400 };
  if (writes && !inPartition(collection, partitionKey)(item.resourceBody)) return { statusCode: 400 };
  return OPERATIONS[item.operationType](collection, { ...item, partitionKey });
};

// Puts back what stands at the operation's id now.
const undoing = (documents, item, partitionKey) => {
  const id = item.id || (item.resourceBody || {}).id;
  const key = documents._getId("/id", id, partitions.parsePartitionKey(partitionKey));
  const rid = documents._index.get(key);
  const before = rid && documents._data.get(rid);
  return () => {
    documents._data.delete(documents._index.get(key));
    documents._index.delete(key);
    if (!before) return;
    documents._index.set(key, rid);
    documents._data.set(rid, before);
  };
};

handle("batch-documents", async (collection, account, req, res, { collId }) => {
  const list = await json(req);
  if (!Array.isArray(list) || list.length > 100) return fail(res, 400, "BadRequest", "Batch has too many operations.");
  if (Buffer.byteLength(JSON.stringify(list)) > MAX_BATCH) return refuse(res, "size");
  const results = [];
  const undo = [];
  for (const { operationType, resourceBody } of list) {
    faults.note(noted(collId, operationType.toLowerCase(), resourceBody));
  }
  for (let index = 0; index < list.length; index += 1) {
    undo.push(undoing(collection.documents, list[index], req.headers[PARTITION_KEY]));
    const result = perform(collection, list[index], req.headers[PARTITION_KEY]);
    if (result.statusCode >= 400) {
      undo.reverse().forEach(step => step());
      res.statusCode = 207;
      return list.map((_, i) => ({ statusCode: i === index ? result.statusCode : 424, requestCharge: 0 }));
    }
    const etag = result.body && result.body._etag;
    results.push({ statusCode: result.statusCode, requestCharge: 1, eTag: etag, resourceBody: result.body });
  }
  return results;
});
