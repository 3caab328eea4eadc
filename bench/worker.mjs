// One measured process: `node worker.mjs <work> <adapter> '<json options>'` prints one line `RESULT {json}`.
// Plain JavaScript on purpose: no loader runs beside what is measured.
const [work, name, json] = process.argv.slice(2)
const options = JSON.parse(json)
const adapter = await import(`./adapters/${name}.mjs`)
const { default: run } = await import(`./programs/${work}.mjs`)

const figures = await run(adapter, options)
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
const result = { ...figures, version: adapter.version, rssMb: maxRSS / 1024, totalCpuMs: (userCPUTime + systemCPUTime) / 1000 }
process.stdout.write(`RESULT ${JSON.stringify(result)}\n`, () => process.exit(0))
