import { BarChart, CustomChart, LineChart, PieChart } from 'echarts/charts';
import {
  AriaComponent,
  BrushComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
} from 'echarts/components';
import { type ECharts, type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { useTheme } from './theme';

use([
  BarChart,
  CustomChart,
  LineChart,
  PieChart,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  BrushComponent,
  AriaComponent,
  SVGRenderer,
]);

/** Reads a CSS variable as it is now, so that a chart has the colours of the current theme. */
export type ColorOf = (variable: string) => string;

type Props = {
  label: string;
  /** In pixels, or any CSS height. */
  height: number | string;
  build(colorOf: ColorOf): EChartsCoreOption;
  /** Given the values at both ends of what was dragged over, on the horizontal axis. */
  onBrush?(from: number, to: number): void;
};

/** What a moment on an axis is called, by the largest unit that begins there. */
const MOMENTS = {
  year: '{yyyy}',
  month: '{d} {MMM}',
  day: '{d} {MMM}',
  hour: '{HH}:{mm}',
  minute: '{HH}:{mm}',
  second: '{HH}:{mm}:{ss}',
};

/** Otherwise labels that would touch are left out here and there. */
const FEW_LABELS_WHEN_NARROW = { query: { maxWidth: 480 }, option: { xAxis: { splitNumber: 4 } } };

type BrushEvent = { areas?: { coordRange?: [number, number] }[] };

/** A chart in the product's look; it is drawn as SVG and without inline HTML, as the security policy asks. */
export default function Chart({ label, height, build, onBrush }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const { isDark } = useTheme();

  useEffect(() => {
    if (!host.current) return undefined;
    const instance = init(host.current, null, { renderer: 'svg' });
    chart.current = instance;
    const observer = new ResizeObserver(() => instance.resize());
    observer.observe(host.current);
    return () => {
      observer.disconnect();
      instance.dispose();
      chart.current = null;
    };
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the colours that are read here.
  useEffect(() => {
    const option = { baseOption: withLook(build(cssVariable), cssVariable), media: [FEW_LABELS_WHEN_NARROW] };
    chart.current?.setOption(option, { notMerge: true });
    if (onBrush) armBrush(chart.current, onBrush);
  }, [build, isDark, onBrush]);

  return <div ref={host} role="img" aria-label={label} className="chart" style={{ height }} />;
}

function cssVariable(name: string): string {
  const root = document.querySelector('.app-root') ?? document.documentElement;
  return getComputedStyle(root).getPropertyValue(name).trim();
}

function armBrush(chart: ECharts | null, onBrush: (from: number, to: number) => void) {
  chart?.dispatchAction({
    type: 'takeGlobalCursor',
    key: 'brush',
    brushOption: { brushType: 'lineX', brushMode: 'single' },
  });
  chart?.off('brushEnd');
  chart?.on('brushEnd', (event) => {
    // The library types every event as unknown; a brush event has areas.
    const range = (event as BrushEvent).areas?.[0]?.coordRange;
    if (range && range[1] > range[0]) onBrush(range[0], range[1]);
  });
}

function withLook(option: EChartsCoreOption, colorOf: ColorOf): EChartsCoreOption {
  const line = colorOf('--colorNeutralStroke2');
  const axis = (own: unknown) => ({
    axisLine: { lineStyle: { color: line } },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: line } },
    ...(own as object),
    axisLabel: {
      color: colorOf('--colorNeutralForeground2'),
      fontSize: 11,
      hideOverlap: true,
      ...((own as { type?: string }).type === 'time' ? { formatter: MOMENTS } : {}),
    },
  });
  const { tooltip, legend, ...own } = option;
  return {
    animation: false,
    textStyle: { fontFamily: colorOf('--fontFamilyBase') || 'sans-serif' },
    // It would put words of its own in the place of our label.
    aria: { enabled: false },
    grid: { left: 8, right: 12, top: 28, bottom: 4, containLabel: true },
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      backgroundColor: colorOf('--colorNeutralBackground1'),
      borderColor: line,
      textStyle: { color: colorOf('--colorNeutralForeground1'), fontSize: 12 },
      ...(tooltip as object),
    },
    legend: {
      top: 0,
      left: 0,
      itemWidth: 10,
      itemHeight: 10,
      icon: 'roundRect',
      textStyle: { color: colorOf('--colorNeutralForeground2') },
      ...(legend as object),
    },
    ...own,
    // What has no axes, such as a pie, must not be given any.
    ...(option.xAxis ? { xAxis: axis(option.xAxis), yAxis: axis(option.yAxis) } : {}),
  };
}
