#!/usr/bin/env node
"use strict";

require("../dist/bin/keys.cjs")
  .main()
  .then((status) => {
    process.exitCode = status;
  });
