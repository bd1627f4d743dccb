// `shootdown presets [NAME]`: the CPU presets, and the source of every number in one.

import Table from "cli-table3";
import { Command } from "commander";
import { readName } from "../base/bad-input.ts";
import { presetListing } from "../presets/listing.ts";
import { PRESET_NAMES, presetNamed, presets, type PresetName } from "../presets/presets.ts";
import { idleSeedOption, jsonOption } from "./options.ts";
import { print, toJson } from "./output.ts";

export function presetsCommand(): Command {
  return new Command("presets")
    .description("the CPU presets, with the source of every number")
    .argument("[name]", "one of them")
    .addOption(jsonOption())
    .addOption(idleSeedOption())
    .action((name: string | undefined, options: { readonly json?: true }) => {
      if (name === undefined) print(options.json ? toJson(presets) : listAll());
      else print(options.json ? toJson(presetNamed(nameOf(name))) : listOne(nameOf(name)));
    });
}

const nameOf = (text: string): PresetName => readName("presets", text, PRESET_NAMES);

function listAll(): string {
  const table = new Table({
    head: ["name", "microarchitecture", "SKU", "GHz", "cores/LLC", "LLCs/socket", "PCID"],
    style: { head: [], border: [], compact: true },
  });
  for (const name of PRESET_NAMES) {
    const { microarchitecture, sku, frequency, topology, features } = presetNamed(name);
    const { coresPerLlc, llcsPerSocket } = topology;
    const sizes = [frequency, coresPerLlc, llcsPerSocket].map(({ value }) => String(value));
    table.push([name, microarchitecture, sku, ...sizes, features.pcid.value ? "yes" : "no"]);
  }
  return `${table.toString()}\n`;
}

function listOne(name: PresetName): string {
  const table = new Table({
    head: ["", "value", "source"],
    style: { head: [], border: [], compact: true },
    colWidths: [null, null, 70],
    wordWrap: true,
  });
  for (const { key, value, unit, source, estimate } of presetListing(presetNamed(name))) {
    const measured = unit === undefined ? String(value) : `${value} ${unit}`;
    table.push([key, measured, estimate ? `estimate: ${source}` : source]);
  }
  return `${table.toString()}\n`;
}
