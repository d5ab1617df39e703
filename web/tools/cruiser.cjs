// Which file of the page may import which: no circles, and rooms import downwards.
const rooms = ["views", "map", "components", "state", "domain", "api"];
module.exports = {
  forbidden: [
    {
      name: "no-circle",
      comment: "Two files that import each other, over however many others, are one file in two parts.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    ...rooms.slice(1).map((room, index) => ({
      name: `${room}-does-not-look-up`,
      severity: "error",
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${rooms.slice(0, index + 1).join("|")})/` },
    })),
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
  },
};
