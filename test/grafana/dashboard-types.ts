import type {
  AnnotationQuery,
  Dashboard,
  DataQuery,
  FieldConfig,
  GridPos,
  MatcherConfig,
  Panel,
  RowPanel,
  TableCellOptions,
  ThresholdsConfig,
  VariableModel,
} from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as TableField,
  Options as TableOptions,
} from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type {
  FieldConfig as TimeSeriesField,
  Options as TimeSeriesOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A type as JSON has it: members of enums are the values that they stand for. */
type Plain<T> = T extends string
  ? `${T}`
  : T extends ReadonlyArray<infer Item>
    ? Plain<Item>[]
    : T extends object
      ? { [Key in keyof T]: Plain<T[Key]> }
      : T;

/** A query of Grafana's data source for Prometheus, which @grafana/schema does not describe. */
interface PrometheusQuery extends Omit<DataQuery, 'datasource'> {
  datasource?: { type: 'prometheus'; uid: string };
  expr: string;
  legendFormat?: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  range?: boolean;
  interval?: string;
}

/** What one field has instead of the defaults of its panel. */
interface Override {
  matcher: MatcherConfig<string>;
  properties: Array<
    | { id: 'decimals'; value: number }
    | { id: 'thresholds'; value: ThresholdsConfig }
    | { id: 'custom.cellOptions'; value: TableCellOptions }
  >;
}

/** A panel of one plugin: @grafana/schema leaves open what the options of a panel are, and describes them for each plugin. */
interface PanelOf<Type extends string, Options, Custom>
  extends Omit<Panel, 'type' | 'id' | 'gridPos' | 'options' | 'fieldConfig' | 'targets'> {
  type: Type;
  id: number;
  gridPos: GridPos;
  options: Options;
  fieldConfig: {
    defaults: Omit<FieldConfig, 'custom'> & { custom?: Custom };
    overrides: Override[];
  };
  targets: PrometheusQuery[];
}

/** What an annotation of a Prometheus has beside what every annotation has. */
interface PrometheusAnnotation extends AnnotationQuery<PrometheusQuery> {
  titleFormat?: string;
}

/** A dashboard that asks a Prometheus, and has rows and panels of these kinds alone. */
export type PrometheusDashboard = Plain<
  Omit<Dashboard, 'panels' | 'annotations' | 'templating'> & {
    panels: Array<
      | RowPanel
      | PanelOf<
          'timeseries',
          Partial<TimeSeriesOptions> & Pick<TimeSeriesOptions, 'legend' | 'tooltip'>,
          TimeSeriesField
        >
      | PanelOf<'stat', StatOptions, never>
      | PanelOf<'table', Omit<TableOptions, 'frameIndex'>, Partial<TableField>>
    >;
    annotations: { list: PrometheusAnnotation[] };
    templating: { list: VariableModel[] };
  }
>;
