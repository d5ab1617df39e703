// The page's icons: 16-pixel strokes in the text's colour, decoration only (what they mean is always said in words too).
import type { ComponentChildren } from "preact";

const PATHS: Record<string, ComponentChildren> = {
  map: <path d="M1.5 3.5 6 2l4 1.5L14.5 2v10.5L10 14l-4-1.5L1.5 14zM6 2v10.5M10 3.5V14" />,
  path: <path d="M3.5 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM12.5 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM5 12h4.5a2.5 2.5 0 0 0 0-5h-3a2 2 0 0 1 0-3.5H11" />,
  play: <path d="M4.5 2.5v11l9-5.5z" />,
  pause: <path d="M5 3v10M11 3v10" />,
  pulse: <path d="M1 8h3l2-5 4 10 2-5h3" />,
  layers: <path d="m8 2 6.5 3.5L8 9 1.5 5.5zM1.5 8.5 8 12l6.5-3.5M1.5 11.5 8 15l6.5-3.5" />,
  tray: <path d="M2 9.5V13a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V9.5M2 9.5h3.5l1 2h3l1-2H14M2 9.5 4 3h8l2 6.5" />,
  search: <path d="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.6 10.6 14 14" />,
  close: <path d="m3.5 3.5 9 9M12.5 3.5l-9 9" />,
  plus: <path d="M8 3v10M3 8h10" />,
  minus: <path d="M3 8h10" />,
  fit: <path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4" />,
  target: <path d="M8 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM8 1v4M8 11v4M1 8h4M11 8h4" />,
  sun: <path d="M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M3 13l1.1-1.1M11.9 4.1 13 3" />,
  moon: <path d="M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z" />,
  system: <path d="M2 3h12v8H2zM6 14h4M8 11v3" />,
  pen: <path d="m2.5 13.5.8-3.2L11 2.6a1 1 0 0 1 1.4 0l1 1a1 1 0 0 1 0 1.4l-7.7 7.7zM9.6 4l2.4 2.4" />,
  undo: <path d="M5.5 3 2.5 6l3 3M2.5 6h6.75a4 4 0 0 1 0 8H6" />,
  redo: <path d="m10.5 3 3 3-3 3M13.5 6H6.75a4 4 0 0 0 0 8H10" />,
  fence: <path d="M2 4.5 8 2l6 2.5-1.5 7L8 14l-4.5-2.5z" />,
  replay: <path d="M2.5 8a5.5 5.5 0 1 0 1.8-4.1M2.5 2v3.2h3.2" />,
  trash: <path d="M2.5 4h11M6 4V2.5h4V4M4 4l.6 9.5h6.8L12 4M6.5 6.8v4M9.5 6.8v4" />,
  external: <path d="M6 3H3v10h10v-3M9 2.5h4.5V7M13.5 2.5 7.5 8.5" />,
  steps: <path d="M3 2.5v11M3 4h4M3 8h8M3 12h5M9 2.5h2v3H9zM12.5 6.5h2v3h-2zM10 10.5h2v3h-2z" />,
  stop: <path d="M4 4h8v8H4z" />,
  edit: <path d="M10.5 3.5 12.5 5.5 6 12l-3 1 1-3zM9 5l2 2" />,
  check: <path d="m3 8.5 3.2 3.2L13 4.8" />,
  alert: <path d="M8 2 15 14H1zM8 6.3v3.6M8 11.6v.9" />,
  list: <path d="M5.5 4H14M5.5 8H14M5.5 12H14M2 4h.5M2 8h.5M2 12h.5" />,
  chevron: <path d="m6 3 5 5-5 5" />,
  copy: <path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" />,
  settings: <path d="M2 4.5h7M13 4.5h1M2 11.5h1M7 11.5h7M11 6.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM5 13.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4z" />,
  bell: <path d="M3 11.5c1-1 1.2-2 1.2-4.5a3.8 3.8 0 0 1 7.6 0c0 2.5.2 3.5 1.2 4.5zM6.5 13.8h3M8 1.5v1.4" />,
  person: <path d="M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14c.5-3 2.7-4.5 5.5-4.5s5 1.5 5.5 4.5" />,
  lost: <path d="M1.5 6a9.4 9.4 0 0 1 4-2.2M10.5 3.8a9.4 9.4 0 0 1 4 2.2M4 9a5.7 5.7 0 0 1 2.4-1.5M12 9a5.7 5.7 0 0 0-2.4-1.5M8 12.5v.1M2.5 1.5l11 13" />,
};

export function Icon({ name, size = 16 }: { name: string; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {PATHS[name]}
    </svg>
  );
}
