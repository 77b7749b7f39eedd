"use strict";
// Runs Node's half of jsii, whose path is the argument, with answers sent in batches: they go out when the
// next request has to be waited for. Descriptor 3 is the connection.

const fs = require("fs");
const Module = require("module");
const path = require("path");

const CONNECTION = 3;
const { readSync, writeSync } = fs;
let held = [];

function flush() {
  let rest = Buffer.concat(held);
  held = [];
  while (rest.length) rest = rest.subarray(writeSync(CONNECTION, rest));
}

fs.writeSync = (descriptor, data, ...place) => {
  if (descriptor !== CONNECTION) return writeSync(descriptor, data, ...place);
  const part = data.subarray(place[0] ?? 0);
  held.push(part);
  return part.length;
};

fs.readSync = (descriptor, ...place) => {
  if (descriptor === CONNECTION) flush();
  return readSync(descriptor, ...place);
};

// cdktf packs assets with it, which no tier has; it is half of what cdktf loads.
const LATER = "archiver";
const load = Module._load;
Module._load = (request, ...place) =>
  request === LATER ? (...given) => load(request, ...place)(...given) : load(request, ...place);

// cdktf notes the whole stack of calls, of JavaScript, for every reference that it makes, to name it in errors.
const { captureStackTrace } = Error;
Error.captureStackTrace = (object, below) => {
  if (Error.stackTraceLimit !== Number.MAX_SAFE_INTEGER) captureStackTrace(object, below);
};

require(path.resolve(process.argv[2]));
