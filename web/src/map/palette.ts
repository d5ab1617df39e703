// The map's colours are the page's: read from the style sheet's custom properties whenever the theme changes.

export interface Palette {
  online: string;
  stale: string;
  offline: string;
  alert: string;
  accent: string;
  text: string;
  muted: string;
  halo: string;
  grid: string;
  land: string;
  coast: string;
  border: string;
  geofence: string;
  noFly: string;
}

const PROPERTIES: Record<keyof Palette, string> = {
  online: "--online",
  stale: "--stale",
  offline: "--offline",
  alert: "--alert",
  accent: "--accent",
  text: "--text",
  muted: "--muted",
  halo: "--map-bg",
  grid: "--map-grid",
  land: "--map-land",
  coast: "--map-coast",
  border: "--map-border",
  geofence: "--geofence",
  noFly: "--no-fly",
};

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return Object.fromEntries(
    Object.entries(PROPERTIES).map(([key, name]) => [key, read(name)]),
  ) as unknown as Palette;
}
