// Two notes, made by the browser itself.

let context: AudioContext | null = null;

/** A browser is silent until somebody has done something on the page; then this is heard. */
export function chime(): void {
  context ??= new AudioContext();
  void context.resume();
  const { currentTime: now, destination } = context;
  for (const [pitch, start] of [
    [880, 0],
    [660, 0.18],
  ] as const) {
    const tone = new OscillatorNode(context, { frequency: pitch });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.setValueAtTime(0, now + start);
    volume.gain.linearRampToValueAtTime(0.2, now + start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, now + start + 0.4);
    tone.connect(volume).connect(destination);
    tone.start(now + start);
    tone.stop(now + start + 0.42);
  }
}
